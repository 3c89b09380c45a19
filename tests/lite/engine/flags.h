// Flags of the form --name=value, of which the caller knows the names and their defaults.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

class Flags {
 public:
  using Values = std::map<std::string, std::string>;

  Flags(int count, char **arguments, Values defaults) : values_(std::move(defaults)) {
    for (int i = 1; i < count; i++) {
      Set(arguments[i]);
    }
  }

  bool Help() const { return help_; }

  const std::string &operator[](const std::string &name) const { return values_.at(name); }

  int Integer(const std::string &name) const { return std::stoi(values_.at(name)); }

  float Number(const std::string &name) const { return std::stof(values_.at(name)); }

  bool Switch(const std::string &name, const std::string &on, const std::string &off) const {
    const std::string &value = values_.at(name);
    if (value != on && value != off) {
      throw std::invalid_argument("INPUT ILLEGAL: " + name + " must be " + on + "|" + off);
    }
    return value == on;
  }

 private:
  void Set(const std::string &argument) {
    const auto equals = argument.find('=');
    const std::string name = argument.rfind("--", 0) == 0 ? argument.substr(2, equals - 2) : "";
    if (name == "help") {
      help_ = true;
    } else if (equals == std::string::npos || values_.count(name) == 0) {
      throw std::invalid_argument("INPUT ILLEGAL: `" + argument + "` is not a valid flag");
    } else {
      values_[name] = argument.substr(equals + 1);
    }
  }

  Values values_;
  bool help_ = false;
};

inline std::vector<std::string> Split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  for (size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(separator, start), text.size());
    if (end > start) {
      parts.push_back(text.substr(start, end - start));
    }
    start = end + 1;
  }
  return parts;
}
