#include "bench/figures.hpp"

#include "support/results.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace fencebridge::test {

namespace {

std::string short_number(double value) {
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%.6g", value);
    return text.data();
}

} // namespace

bool Bar::is_met(double value) const {
    switch (kind) {
    case Kind::None:
        return true;
    case Kind::AtMost:
        return value <= limit;
    case Kind::AtLeast:
        break;
    }
    return value >= limit;
}

std::string Bar::text() const {
    switch (kind) {
    case Kind::None:
        return {};
    case Kind::AtMost:
        return "<= " + short_number(limit);
    case Kind::AtLeast:
        break;
    }
    return ">= " + short_number(limit);
}

double Series::quantile(double share) const {
    if (samples_.empty()) {
        std::fprintf(stderr, "a series without samples\n");
        std::abort();
    }
    std::vector<double> sorted = samples_;
    const auto index =
        static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1) + 0.5);
    std::nth_element(sorted.begin(), sorted.begin() + index, sorted.end());
    return sorted[static_cast<size_t>(index)];
}

std::string Series::spread() const {
    return "5 % to 95 %: " + short_number(quantile(0.05)) + " to " + short_number(quantile(0.95));
}

Series Series::minus(const Series& other) const {
    Series difference;
    for (size_t i = 0; i < samples_.size(); ++i) {
        difference.add(samples_[i] - other.samples_.at(i));
    }
    return difference;
}

Series Series::over(const Series& other) const {
    Series ratio;
    for (size_t i = 0; i < samples_.size(); ++i) {
        ratio.add(samples_[i] / other.samples_.at(i));
    }
    return ratio;
}

void report(const std::string& name, double value, const std::string& unit, Bar bar,
            const std::string& note) {
    const bool met = bar.is_met(value);
    std::printf("%-64s %12s %-6s %-10s %s %s\n", name.c_str(), short_number(value).c_str(),
                unit.c_str(), bar.text().c_str(), met ? "" : "MISSED", note.c_str());
    (void)std::fflush(stdout);
    record_value(name, value, unit, bar.text(), met, note);
}

void report(const std::string& name, const Series& series, const std::string& unit, Bar bar) {
    report(name, series.median(), unit, bar, series.spread());
}

} // namespace fencebridge::test
