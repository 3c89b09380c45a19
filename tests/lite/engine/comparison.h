// What the vendor's benchmark says of outputs beside those of another engine: the mean of the relative errors of the
// values that differ and, where a threshold for it is given, the cosine of the angle between the two.
#pragma once

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "include/api/types.h"

struct Expected {
  std::vector<int64_t> shape;
  std::vector<double> values;
};

template <typename Element>
std::vector<double> Converted(const mindspore::MSTensor &tensor) {
  const auto data = tensor.Data();
  const auto *values = static_cast<const Element *>(data.get());
  return {values, values + tensor.ElementNum()};
}

inline std::vector<double> ValuesOf(const mindspore::MSTensor &tensor) {
  switch (tensor.DataType()) {
    case mindspore::DataType::kNumberTypeFloat32:
      return Converted<float>(tensor);
    case mindspore::DataType::kNumberTypeInt8:
      return Converted<int8_t>(tensor);
    case mindspore::DataType::kNumberTypeUInt8:
      return Converted<uint8_t>(tensor);
    case mindspore::DataType::kNumberTypeBool:
      return Converted<bool>(tensor);
    case mindspore::DataType::kNumberTypeInt32:
      return Converted<int32_t>(tensor);
    case mindspore::DataType::kNumberTypeInt64:
      return Converted<int64_t>(tensor);
    default:
      const int type = static_cast<int>(tensor.DataType());
      throw std::runtime_error("Datatype " + std::to_string(type) + " is not supported.");
  }
}

// One tensor after the other: a line "name dimensions size size ...", and a line of values.
inline std::map<std::string, Expected> ReadExpected(const std::string &path) {
  std::ifstream stream(path);
  if (!stream) {
    throw std::runtime_error("file: " + path + " open failed");
  }
  std::map<std::string, Expected> expected;
  std::string line;
  while (std::getline(stream, line)) {
    std::istringstream heading(line);
    std::string name;
    size_t dimensions = 0;
    if (!(heading >> name >> dimensions)) {
      continue;
    }
    Expected tensor;
    int64_t count = 1;
    for (size_t i = 0; i < dimensions; i++) {
      int64_t size = 0;
      heading >> size;
      tensor.shape.push_back(size);
      count *= size;
    }
    std::getline(stream, line);
    std::istringstream values(line);
    for (double value; values >> value;) {
      tensor.values.push_back(value);
    }
    if (static_cast<int64_t>(tensor.values.size()) != count) {
      throw std::runtime_error("calibTensor data size " + std::to_string(tensor.values.size()) + " is not equal to " +
                               std::to_string(count));
    }
    expected[name] = tensor;
  }
  return expected;
}

inline bool SameShape(std::vector<int64_t> one, std::vector<int64_t> other) {
  // Axes of size one at the end make no difference.
  const size_t dimensions = std::max(one.size(), other.size());
  one.resize(dimensions, 1);
  other.resize(dimensions, 1);
  return one == other;
}

inline double MeanBias(const std::vector<double> &values, const std::vector<double> &expected) {
  constexpr double kRelativeTolerance = 1e-5;
  constexpr double kAbsoluteTolerance = 1e-8;
  constexpr double kOfZero = 1e-5;
  double total = 0;
  size_t different = 0;
  for (size_t i = 0; i < values.size(); i++) {
    const double error = std::fabs(values[i] - expected[i]);
    const double size = std::fabs(expected[i]);
    const bool is_zero = size < FLT_EPSILON;
    if (error > kAbsoluteTolerance + kRelativeTolerance * size && (!is_zero || error > kOfZero)) {
      total += is_zero ? error : error / (size + FLT_MIN);
      different++;
    }
  }
  const double mean = different == 0 ? 0 : total / different;
  return mean <= 1e-7 ? 0 : mean;
}

inline double Cosine(const std::vector<double> &values, const std::vector<double> &expected) {
  double product = 0;
  double squares = 0;
  double expected_squares = 0;
  for (size_t i = 0; i < values.size(); i++) {
    product += values[i] * expected[i];
    squares += values[i] * values[i];
    expected_squares += expected[i] * expected[i];
  }
  return squares * expected_squares < DBL_EPSILON ? 1 : product / std::sqrt(squares) / std::sqrt(expected_squares);
}

inline std::vector<double> ShownValues(const mindspore::MSTensor &tensor, const Expected &expected) {
  constexpr size_t kShown = 50;
  if (!SameShape(tensor.Shape(), expected.shape)) {
    throw std::runtime_error("Shape of mslite output and shape source model output are different");
  }
  const auto values = ValuesOf(tensor);
  std::cout << "Data of node " << tensor.Name() << " : ";
  for (size_t i = 0; i < values.size(); i++) {
    if (!std::isfinite(values[i])) {
      throw std::runtime_error("Output tensor has nan or inf data, compare fail");
    }
    if (i < kShown) {
      std::cout << static_cast<float>(values[i]) << " ";
    }
  }
  std::cout << std::endl;
  return values;
}

using Measure = double (*)(const std::vector<double> &values, const std::vector<double> &expected);

// Print one measure of each output, and return its mean.
inline double MeanOf(const std::string &title, Measure measure, const std::vector<mindspore::MSTensor> &outputs,
                     const std::map<std::string, Expected> &expected) {
  std::cout << "================ Comparing Output data ================" << std::endl;
  double total = 0;
  for (const auto &output : outputs) {
    const auto found = expected.find(output.Name());
    if (found == expected.end() || outputs.size() != expected.size()) {
      throw std::runtime_error("The output tensor name is wrong.");
    }
    const double figure = measure(ShownValues(output, found->second), found->second.values);
    std::cout << title << " of node/tensor " << output.Name() << " : " << figure * 100 << "%" << std::endl;
    total += figure;
  }
  return outputs.empty() ? 0 : total / outputs.size();
}

// Print how near the outputs are to those in the file; throw what is wrong with them.
inline void Compare(const std::vector<mindspore::MSTensor> &outputs, const std::map<std::string, Expected> &expected,
                    double bias_threshold, double cosine_threshold) {
  constexpr const char *kEnd = "\n=======================================================\n";
  constexpr double kLeastCosine = -1;
  const double bias = 100 * MeanOf("Mean bias", MeanBias, outputs, expected);
  std::cout << "Mean bias of all nodes/tensors: " << bias << "%" << kEnd << std::endl;
  if (bias > bias_threshold) {
    throw std::runtime_error("Mean bias of all nodes/tensors is too big: " + std::to_string(bias) + "%");
  }
  if (cosine_threshold < kLeastCosine) {
    return;
  }
  const double cosine = MeanOf("Mean cosine distance", Cosine, outputs, expected);
  std::cout << "Cosine distance of all nodes/tensors: " << std::setprecision(std::numeric_limits<double>::digits10)
            << cosine << kEnd << std::endl;
  if (cosine < cosine_threshold) {
    throw std::runtime_error("Mean cosine distance of all nodes/tensors is too small: " + std::to_string(cosine));
  }
}
