// A benchmark program over the runtime of the mindspore_lite wheel, which comes without the program: it measures, and
// with benchmarkDataFile compares with another's outputs.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include "comparison.h"
#include "flags.h"
#include "include/api/context.h"
#include "include/api/model.h"

using mindspore::MSTensor;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kShownInputs = 20;

const Flags::Values kDefaults = {
  {"modelFile", ""},
  {"modelType", "MindIR"},
  {"device", "CPU"},
  {"numThreads", "2"},
  {"loopCount", "10"},
  {"warmUpLoopCount", "3"},
  {"enableFp16", "false"},
  {"cpuBindMode", "1"},
  {"configFile", ""},
  {"inputShapes", ""},
  {"inDataFile", ""},
  {"inDataType", "bin"},
  {"benchmarkDataFile", ""},
  {"benchmarkDataType", "FLOAT"},
  {"accuracyThreshold", "0.5"},
  {"cosineDistanceThreshold", "-1.1"},
};

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void Succeed(const mindspore::Status &status, const std::string &what) {
  if (!status.IsOk()) {
    throw std::runtime_error(what + ": " + status.ToString());
  }
}

void PrintSettings(const Flags &flags) {
  std::cout << "ModelPath = " << flags["modelFile"] << "\nModelType = " << flags["modelType"]
            << "\nInDataPath = " << flags["inDataFile"] << "\nConfigFilePath = " << flags["configFile"]
            << "\nInDataType = " << flags["inDataType"] << "\nLoopCount = " << flags["loopCount"]
            << "\nDeviceType = " << flags["device"] << "\nAccuracyThreshold = " << flags["accuracyThreshold"]
            << "\nCosineDistanceThreshold = " << flags["cosineDistanceThreshold"]
            << "\nWarmUpLoopCount = " << flags["warmUpLoopCount"] << "\nNumThreads = " << flags["numThreads"]
            << "\nFp16Priority = " << flags["enableFp16"] << "\ncalibDataPath = " << flags["benchmarkDataFile"]
            << "\ncpuBindMode = " << flags["cpuBindMode"] << "\nCalibDataType = " << flags["benchmarkDataType"]
            << "\nstart unified benchmark run" << std::endl;
}

std::shared_ptr<mindspore::Context> ContextOf(const Flags &flags) {
  auto context = std::make_shared<mindspore::Context>();
  context->SetThreadNum(flags.Integer("numThreads"));
  context->SetThreadAffinity(flags.Integer("cpuBindMode"));
  auto &devices = context->MutableDeviceInfo();
  if (flags["device"] == "GPU") {
    devices.push_back(std::make_shared<mindspore::GPUDeviceInfo>());
  } else if (flags["device"] == "NPU") {
    devices.push_back(std::make_shared<mindspore::KirinNPUDeviceInfo>());
  } else if (flags["device"] == "Ascend") {
    devices.push_back(std::make_shared<mindspore::AscendDeviceInfo>());
  } else if (flags["device"] != "CPU" && flags["device"] != "Auto") {
    throw std::invalid_argument("Device type:" + flags["device"] + " is not supported.");
  }
  auto cpu = std::make_shared<mindspore::CPUDeviceInfo>();
  cpu->SetEnableFP16(flags.Switch("enableFp16", "true", "false"));
  devices.push_back(cpu);
  return context;
}

mindspore::ModelType TypeOf(const std::string &name) {
  if (name == "MindIR") {
    return mindspore::kMindIR;
  }
  if (name == "MindIR_Lite" || name == "MindIR_Opt") {
    return mindspore::kMindIR_Lite;
  }
  throw std::invalid_argument("Not supported model type: " + name);
}

void Resize(mindspore::Model *model, const std::string &text) {
  std::vector<std::vector<int64_t>> shapes;
  for (const auto &item : Split(text, ':')) {
    shapes.emplace_back();
    for (const auto &size : Split(item, ',')) {
      shapes.back().push_back(std::stoll(size));
    }
  }
  Succeed(model->Resize(model->GetInputs(), shapes), "Input tensor resize failed");
}

void FillRandomly(std::vector<MSTensor> *inputs) {
  std::mt19937 random;
  for (auto &input : *inputs) {
    if (input.DataType() == mindspore::DataType::kNumberTypeFloat32) {
      std::uniform_real_distribution<float> distribution(0.1F, 1.0F);
      auto *values = static_cast<float *>(input.MutableData());
      std::generate_n(values, input.ElementNum(), [&] { return distribution(random); });
    } else {
      auto *bytes = static_cast<char *>(input.MutableData());
      std::fill_n(bytes, input.DataSize(), static_cast<char>(1));
    }
  }
}

void Fill(std::vector<MSTensor> *inputs, const std::string &files) {
  const auto names = Split(files, ',');
  if (names.size() != inputs->size()) {
    throw std::runtime_error("the number of input files " + std::to_string(names.size()) +
                             " is not equal to the number of inputs " + std::to_string(inputs->size()));
  }
  for (size_t i = 0; i < names.size(); i++) {
    std::ifstream stream(names[i], std::ios::binary);
    if (!stream) {
      throw std::runtime_error("file: " + names[i] + " open failed");
    }
    const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
    auto &input = (*inputs)[i];
    if (bytes.size() != input.DataSize()) {
      throw std::runtime_error("Input binary file size error, required: " + std::to_string(input.DataSize()) +
                               ", in fact: " + std::to_string(bytes.size()));
    }
    std::copy(bytes.begin(), bytes.end(), static_cast<char *>(input.MutableData()));
  }
}

void Predict(mindspore::Model *model, const std::vector<MSTensor> &inputs, std::vector<MSTensor> *outputs) {
  Succeed(model->Predict(inputs, outputs), "Inference error");
}

void MarkPerformance(mindspore::Model *model, const std::vector<MSTensor> &inputs, const Flags &flags,
                     const std::string &name) {
  std::vector<MSTensor> outputs;
  std::cout << "Running warm up loops..." << std::endl;
  for (int i = 0; i < flags.Integer("warmUpLoopCount"); i++) {
    Predict(model, inputs, &outputs);
  }
  std::cout << "Running benchmark loops..." << std::endl;
  std::vector<double> times;
  for (int i = 0; i < flags.Integer("loopCount"); i++) {
    const auto start = Clock::now();
    Predict(model, inputs, &outputs);
    times.push_back(MillisecondsSince(start));
  }
  if (times.empty()) {
    return;
  }
  double total = 0;
  for (const double time : times) {
    total += time;
  }
  std::printf("Model = %s, NumThreads = %d, MinRunTime = %f ms, MaxRuntime = %f ms, AvgRunTime = %f ms\n", name.c_str(),
              flags.Integer("numThreads"), *std::min_element(times.begin(), times.end()),
              *std::max_element(times.begin(), times.end()), total / times.size());
}

void ShowInputs(const std::vector<MSTensor> &inputs) {
  for (size_t i = 0; i < inputs.size(); i++) {
    std::cout << "InData " << i << ": ";
    const auto values = ValuesOf(inputs[i]);
    for (size_t j = 0; j < std::min<size_t>(kShownInputs, values.size()); j++) {
      std::cout << values[j] << " ";
    }
    std::cout << std::endl;
  }
}

void MarkAccuracy(mindspore::Model *model, const std::vector<MSTensor> &inputs, const Flags &flags) {
  std::cout << "MarkAccuracy" << std::endl;
  ShowInputs(inputs);
  std::vector<MSTensor> outputs;
  Predict(model, inputs, &outputs);
  Compare(outputs, ReadExpected(flags["benchmarkDataFile"]), flags.Number("accuracyThreshold"),
          flags.Number("cosineDistanceThreshold"));
}

void Run(const Flags &flags, const std::string &name) {
  PrintSettings(flags);
  mindspore::Model model;
  const auto start = Clock::now();
  if (!flags["configFile"].empty()) {
    Succeed(model.LoadConfig(flags["configFile"]), "ms_model_.LoadConfig failed");
  }
  Succeed(model.Build(flags["modelFile"], TypeOf(flags["modelType"]), ContextOf(flags)),
          "ms_model_.Build failed while running " + name);
  if (!flags["inputShapes"].empty()) {
    Resize(&model, flags["inputShapes"]);
  }
  std::cout << "PrepareTime = " << MillisecondsSince(start) << " ms" << std::endl;
  auto inputs = model.GetInputs();
  if (flags["inDataFile"].empty()) {
    FillRandomly(&inputs);
  } else {
    Fill(&inputs, flags["inDataFile"]);
  }
  if (flags["benchmarkDataFile"].empty()) {
    MarkPerformance(&model, inputs, flags, name);
  } else {
    MarkAccuracy(&model, inputs, flags);
  }
}

}  // namespace

int main(int count, char **arguments) {
  std::string name;
  try {
    const Flags flags(count, arguments, kDefaults);
    if (flags.Help()) {
      std::cout << "Usage: benchmark --modelFile=... --modelType=MindIR_Lite [--flag=value ...]" << std::endl;
      return 0;
    }
    if (flags["modelFile"].empty()) {
      throw std::invalid_argument("modelPath is required");
    }
    name = flags["modelFile"].substr(flags["modelFile"].find_last_of('/') + 1);
    Run(flags, name);
    std::cout << "Run Benchmark " << name << " Success." << std::endl;
    return 0;
  } catch (const std::exception &error) {
    std::cout << std::flush;
    std::cerr << error.what() << "\nRun Benchmark " << name << " Failed : -1" << std::endl;
    return 255;
  }
}
