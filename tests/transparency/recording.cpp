#include "transparency/recording.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <string_view>

namespace fencebridge::test {

namespace {

/// Gives numbers to addresses.
class Handles {
public:
    std::string numbered(const std::string& line) {
        // new@address@ is an object from here on; @address@ is one, or else somebody's memory.
        constexpr std::string_view birth = "new";
        std::string text;
        std::vector<std::string> seen;
        size_t from = 0;
        for (size_t at = line.find('@'); at != std::string::npos; at = line.find('@', from)) {
            const size_t end = line.find('@', at + 1);
            if (end == std::string::npos) {
                break;
            }
            text += line.substr(from, at - from);
            from = end + 1;
            const std::string& address = seen.emplace_back(line.substr(at + 1, end - at - 1));
            if (text.ends_with(birth)) {
                text.resize(text.size() - birth.size());
                numbers_[address] = ++last_;
            }
            const auto known = numbers_.find(address);
            text += known != numbers_.end() ? "#" + std::to_string(known->second) : "pointer";
        }
        text += line.substr(from);
        // Gone: its address may become anything. The first is whose the object was.
        if (line.starts_with("application: vkDestroy") || line.starts_with("application: vkFree")) {
            for (size_t i = 1; i < seen.size(); ++i) {
                numbers_.erase(seen.at(i));
            }
        }
        return text;
    }

private:
    std::map<std::string, int> numbers_;
    int last_ = 0;
};

void prepare(Recording& recording, const std::vector<Allowance>& allowed) {
    Handles handles;
    for (Step& step : recording) {
        for (const Allowance& one : allowed) {
            if (step.name == one.step) {
                std::erase_if(step.lines, [&](const std::string& line) {
                    return line.starts_with(std::string("driver: ") + one.line);
                });
            }
        }
        std::ranges::transform(step.lines, step.lines.begin(),
                               [&](const auto& line) { return handles.numbered(line); });
        if (step.name.starts_with("vkAcquireNextImage")) {
            // Which image is free is a matter of time in some drivers.
            std::ranges::for_each(step.lines,
                                  [](auto& line) { line.resize(line.find_last_of(' ')); });
        }
    }
}

/// What one has and the other has not; all of it where only the order differs.
std::string joined(const Step& step, const Step& other) {
    std::string text;
    std::string all;
    for (const std::string& line : step.lines) {
        // Some outputs are pages.
        const std::string shown =
            "\n    " + (line.size() > 400 ? line.substr(0, 400) + "..." : line);
        all += shown;
        if (std::ranges::find(other.lines, line) == other.lines.end()) {
            text += shown;
        }
    }
    return text.empty() ? all : text;
}

} // namespace

Recording read_recording(const std::filesystem::path& file) {
    constexpr std::string_view mark = "step: ";
    Recording recording;
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(mark)) {
            recording.push_back({line.substr(mark.size()), {}});
        } else if (!recording.empty()) {
            // What precedes the first step is the loader's.
            recording.back().lines.push_back(line);
        }
    }
    return recording;
}

std::set<std::string> step_names(const Recording& recording) {
    std::set<std::string> names;
    for (const Step& step : recording) {
        names.insert(step.name);
    }
    return names;
}

std::vector<std::string> differences(Recording without, Recording with,
                                     const std::vector<Allowance>& allowed) {
    prepare(without, allowed);
    prepare(with, allowed);
    std::vector<std::string> found;
    if (without.size() != with.size()) {
        found.push_back("steps: " + std::to_string(without.size()) + " without the layer, " +
                        std::to_string(with.size()) + " with it");
    }
    for (size_t i = 0; i < std::min(without.size(), with.size()); ++i) {
        const Step& old = without.at(i);
        const Step& now = with.at(i);
        if (old.name != now.name || old.lines != now.lines) {
            found.push_back("step " + std::to_string(i) + ", " + now.name + "; without the layer:" +
                            joined(old, now) + "\n  with it:" + joined(now, old));
        }
    }
    return found;
}

} // namespace fencebridge::test
