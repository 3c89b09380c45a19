// The engine behind plain C functions, for Python's ctypes: none throws, and LastError() says what went wrong.
#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "converter.h"
#include "include/api/context.h"
#include "include/api/model.h"

using mindspore::Chars;
using mindspore::Converter;
using mindspore::DataType;
using mindspore::Model;
using mindspore::MSTensor;

namespace {

thread_local std::string last_error;

template <typename Function>
bool Try(Function function) {
  try {
    const mindspore::Status status = function();
    last_error = status.IsOk() ? "" : status.ToString();
    return status.IsOk();
  } catch (const std::exception &error) {
    last_error = error.what();
    return false;
  }
}

struct Session {
  Model model;
  std::vector<MSTensor> inputs;
  std::vector<MSTensor> outputs;

  std::vector<MSTensor> &Tensors(bool is_output) { return is_output ? outputs : inputs; }
};

}  // namespace

extern "C" {

const char *LastError() { return last_error.c_str(); }

const char *EngineVersion() {
  static const std::string version = mindspore::Version();
  return version.c_str();
}

Converter *NewConverter() { return new Converter(); }

void DeleteConverter(Converter *converter) { delete converter; }

void SetConfigFile(Converter *converter, const char *path) { converter->SetConfigFile(Chars(path)); }

void SetDevice(Converter *converter, const char *device) { converter->SetDevice(Chars(device)); }

void SetInfer(Converter *converter, bool infer) { converter->SetInfer(infer); }

void SetInputDataType(Converter *converter, int type) { converter->SetInputDataType(static_cast<DataType>(type)); }

void SetOutputDataType(Converter *converter, int type) { converter->SetOutputDataType(static_cast<DataType>(type)); }

void SetInputFormat(Converter *converter, int format) {
  converter->SetInputFormat(static_cast<mindspore::Format>(format));
}

void SetInputShapes(Converter *converter, size_t count, const char *const *names, const size_t *dimensions,
                    const int64_t *const *sizes) {
  std::map<std::vector<char>, std::vector<int64_t>> shapes;
  for (size_t i = 0; i < count; i++) {
    shapes[Chars(names[i])] = {sizes[i], sizes[i] + dimensions[i]};
  }
  converter->SetInputShape(shapes);
}

void SetNoFusion(Converter *converter, bool no_fusion) { converter->SetNoFusion(no_fusion); }

void SetSaveType(Converter *converter, int type) { converter->SetSaveType(static_cast<mindspore::ModelType>(type)); }

void SetWeightFp16(Converter *converter, bool weight_fp16) { converter->SetWeightFp16(weight_fp16); }

bool Convert(Converter *converter, int framework, const char *model, const char *output, const char *weights) {
  return Try([&] {
    return converter->Convert(static_cast<mindspore::converter::FmkType>(framework), Chars(model), Chars(output),
                              Chars(weights));
  });
}

Session *NewSession() { return new Session(); }

void DeleteSession(Session *session) { delete session; }

bool LoadConfig(Session *session, const char *path) {
  return Try([&] { return session->model.LoadConfig(path); });
}

bool Build(Session *session, const char *path, int type, int threads, int affinity, bool fp16, const char *device) {
  return Try([&] {
    auto context = std::make_shared<mindspore::Context>();
    context->SetThreadNum(threads);
    context->SetThreadAffinity(affinity);
    if (std::strcmp(device, "gpu") == 0) {
      context->MutableDeviceInfo().push_back(std::make_shared<mindspore::GPUDeviceInfo>());
    } else if (std::strcmp(device, "ascend") == 0) {
      context->MutableDeviceInfo().push_back(std::make_shared<mindspore::AscendDeviceInfo>());
    }
    auto cpu = std::make_shared<mindspore::CPUDeviceInfo>();
    cpu->SetEnableFP16(fp16);
    context->MutableDeviceInfo().push_back(cpu);
    const auto status = session->model.Build(std::string(path), static_cast<mindspore::ModelType>(type), context);
    if (status.IsOk()) {
      session->inputs = session->model.GetInputs();
    }
    return status;
  });
}

bool Resize(Session *session, size_t count, const size_t *dimensions, const int64_t *const *sizes) {
  return Try([&] {
    std::vector<std::vector<int64_t>> shapes;
    for (size_t i = 0; i < count; i++) {
      shapes.emplace_back(sizes[i], sizes[i] + dimensions[i]);
    }
    const auto status = session->model.Resize(session->inputs, shapes);
    if (status.IsOk()) {
      session->inputs = session->model.GetInputs();
    }
    return status;
  });
}

bool Predict(Session *session) {
  return Try([&] { return session->model.Predict(session->inputs, &session->outputs); });
}

size_t TensorCount(Session *session, bool is_output) { return session->Tensors(is_output).size(); }

int TensorType(Session *session, bool is_output, size_t index) {
  return static_cast<int>(session->Tensors(is_output)[index].DataType());
}

int TensorFormat(Session *session, bool is_output, size_t index) {
  return static_cast<int>(session->Tensors(is_output)[index].format());
}

size_t TensorBytes(Session *session, bool is_output, size_t index) {
  return session->Tensors(is_output)[index].DataSize();
}

// Copy at most `size` bytes of the name, and return how many it has.
size_t TensorName(Session *session, bool is_output, size_t index, char *name, size_t size) {
  const auto text = session->Tensors(is_output)[index].Name();
  text.copy(name, size);
  return text.size();
}

// Copy at most `size` sizes of axes, and return how many there are.
size_t TensorShape(Session *session, bool is_output, size_t index, int64_t *sizes, size_t size) {
  const auto &shape = session->Tensors(is_output)[index].Shape();
  std::copy_n(shape.begin(), std::min(size, shape.size()), sizes);
  return shape.size();
}

void *TensorData(Session *session, bool is_output, size_t index) {
  return session->Tensors(is_output)[index].MutableData();
}

}  // extern "C"
