// A converter_lite over the converter of the mindspore_lite wheel, which comes without the program.
#include <cstdio>
#include <exception>
#include <iostream>

#include "converter.h"
#include "flags.h"

using mindspore::Chars;
using mindspore::Converter;
using mindspore::DataType;
using mindspore::converter::FmkType;

namespace {

constexpr int kError = -1;
constexpr int kIllegalFlag = -600;

const Flags::Values kDefaults = {
  {"fmk", ""},
  {"modelFile", ""},
  {"outputFile", ""},
  {"weightFile", ""},
  {"configFile", ""},
  {"fp16", "off"},
  {"inputShape", ""},
  {"inputDataFormat", "NHWC"},
  {"inputDataType", "DEFAULT"},
  {"outputDataType", "DEFAULT"},
  // What the vendor's builds for servers have; those for devices have MINDIR_LITE.
  {"saveType", "MINDIR"},
  {"optimize", "general"},
  {"infer", "false"},
  {"device", ""},
};

template <typename Value>
Value Choice(const std::string &flag, const std::string &chosen, const std::map<std::string, Value> &choices) {
  const auto found = choices.find(chosen);
  if (found != choices.end()) {
    return found->second;
  }
  std::string names;
  for (const auto &choice : choices) {
    names += (names.empty() ? "" : "|") + choice.first;
  }
  throw std::invalid_argument("INPUT ILLEGAL: " + flag + " must be " + names);
}

DataType TypeOf(const std::string &flag, const std::string &name) {
  return Choice<DataType>(flag, name,
                          {{"FLOAT32", DataType::kNumberTypeFloat32},
                           {"INT8", DataType::kNumberTypeInt8},
                           {"UINT8", DataType::kNumberTypeUInt8},
                           {"DEFAULT", DataType::kTypeUnknown}});
}

std::map<std::vector<char>, std::vector<int64_t>> Shapes(const std::string &text) {
  std::map<std::vector<char>, std::vector<int64_t>> shapes;
  for (const auto &item : Split(text, ';')) {
    const auto colon = item.rfind(':');
    if (colon == std::string::npos) {
      throw std::invalid_argument("INPUT ILLEGAL: inputShape must be name:size,size,...;name:...");
    }
    std::vector<int64_t> sizes;
    for (const auto &size : Split(item.substr(colon + 1), ',')) {
      sizes.push_back(std::stoll(size));
    }
    shapes[Chars(item.substr(0, colon))] = sizes;
  }
  return shapes;
}

FmkType Configure(const Flags &flags, Converter *converter) {
  const auto framework = Choice<FmkType>("fmk", flags["fmk"],
                                         {{"MINDIR", mindspore::converter::kFmkTypeMs},
                                          {"ONNX", mindspore::converter::kFmkTypeOnnx},
                                          {"TFLITE", mindspore::converter::kFmkTypeTflite},
                                          {"TF", mindspore::converter::kFmkTypeTf},
                                          {"CAFFE", mindspore::converter::kFmkTypeCaffe}});
  if (flags["modelFile"].empty()) {
    throw std::invalid_argument("INPUT MISSING: model file path is necessary");
  }
  if (flags["outputFile"].empty()) {
    throw std::invalid_argument("INPUT MISSING: output file path is necessary");
  }
  converter->SetSaveType(Choice<mindspore::ModelType>(
    "saveType", flags["saveType"], {{"MINDIR", mindspore::kMindIR}, {"MINDIR_LITE", mindspore::kMindIR_Lite}}));
  converter->SetWeightFp16(flags.Switch("fp16", "on", "off"));
  converter->SetInfer(flags.Switch("infer", "true", "false"));
  converter->SetInputFormat(Choice<mindspore::Format>("inputDataFormat", flags["inputDataFormat"],
                                                      {{"NCHW", mindspore::NCHW}, {"NHWC", mindspore::NHWC}}));
  converter->SetInputDataType(TypeOf("inputDataType", flags["inputDataType"]));
  converter->SetOutputDataType(TypeOf("outputDataType", flags["outputDataType"]));
  if (!flags["inputShape"].empty()) {
    converter->SetInputShape(Shapes(flags["inputShape"]));
  }
  if (!flags["configFile"].empty()) {
    converter->SetConfigFile(Chars(flags["configFile"]));
  }
  const auto device = Choice<std::string>("optimize", flags["optimize"],
                                          {{"none", flags["device"]},
                                           {"general", flags["device"]},
                                           {"gpu_oriented", flags["device"]},
                                           {"ascend_oriented", "Ascend"}});
  converter->SetNoFusion(flags["optimize"] == "none");
  if (!device.empty()) {
    converter->SetDevice(Chars(device));
  }
  return framework;
}

int Failed(const char *what, int status) {
  std::cout << what << ":" << status << " " << mindspore::lite::GetErrorInfo(status) << std::endl;
  return status & 0xff;
}

int Run(int count, char **arguments) {
  Converter converter;
  FmkType framework;
  std::vector<char> model;
  std::vector<char> output;
  std::vector<char> weights;
  try {
    const Flags flags(count, arguments, kDefaults);
    if (flags.Help()) {
      std::cout << "Usage: converter_lite --fmk=MINDIR --modelFile=... --outputFile=... [--flag=value ...]\n";
      return 0;
    }
    framework = Configure(flags, &converter);
    model = Chars(flags["modelFile"]);
    output = Chars(flags["outputFile"]);
    weights = Chars(flags["weightFile"]);
  } catch (const std::logic_error &error) {
    std::cerr << error.what() << std::endl;
    return Failed("CONVERTER::FLAGS INIT FAILED", kIllegalFlag);
  }
  const auto status = converter.Convert(framework, model, output, weights);
  return status.IsOk() ? 0 : Failed("CONVERT RESULT FAILED", static_cast<int>(status.StatusCode()));
}

}  // namespace

int main(int count, char **arguments) {
  try {
    return Run(count, arguments);
  } catch (const std::exception &error) {
    // The library throws what it finds wrong with a model.
    std::cerr << error.what() << std::endl;
    return Failed("CONVERT RESULT FAILED", kError);
  }
}
