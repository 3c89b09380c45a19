// What the wheel's libraries export of the converter and its headers leave out: only methods that are called here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "include/api/data_type.h"
#include "include/api/format.h"
#include "include/api/status.h"
#include "include/api/types.h"
#include "include/registry/converter_context.h"

namespace mindspore {

class Converter {
 public:
  Converter();
  ~Converter() = default;

  void SetConfigFile(const std::vector<char> &path);
  void SetDevice(const std::vector<char> &device);
  void SetInfer(bool infer);
  void SetInputDataType(DataType type);
  void SetInputFormat(Format format);
  void SetInputShape(const std::map<std::vector<char>, std::vector<int64_t>> &shapes);
  void SetNoFusion(bool no_fusion);
  void SetOutputDataType(DataType type);
  void SetSaveType(ModelType type);
  void SetWeightFp16(bool weight_fp16);
  Status Convert(converter::FmkType framework, const std::vector<char> &model, const std::vector<char> &output,
                 const std::vector<char> &weights);

 private:
  struct Data;
  std::shared_ptr<Data> data_;
};

namespace lite {
std::string GetErrorInfo(int status);
}

inline std::vector<char> Chars(const std::string &text) { return {text.begin(), text.end()}; }

}  // namespace mindspore
