// What a benchmark measured, and the bar that it is held against.
#pragma once

#include <string>
#include <vector>

namespace fencebridge::test {

/// What a figure has to meet; none: it is told, and held against nothing.
struct Bar {
    enum class Kind : unsigned char { None, AtMost, AtLeast };
    Kind kind = Kind::None;
    double limit = 0;

    bool is_met(double value) const;
    std::string text() const; ///< "<= 1.25"; empty where there is none
};
constexpr Bar at_most(double limit) {
    return {Bar::Kind::AtMost, limit};
}
constexpr Bar at_least(double limit) {
    return {Bar::Kind::AtLeast, limit};
}

/// Samples of one quantity. Empty ones have no median: asking for it aborts.
class Series {
public:
    void add(double sample) { samples_.push_back(sample); }
    double quantile(double share) const;
    double median() const { return quantile(0.5); }
    /// "5 % to 95 %: A to B"
    std::string spread() const;
    /// Sample by sample of two series of one length.
    Series minus(const Series& other) const;
    Series over(const Series& other) const;

private:
    std::vector<double> samples_;
};

/// Records a figure and prints it.
void report(const std::string& name, double value, const std::string& unit, Bar bar = {},
            const std::string& note = {});
/// The median, with the spread as its note.
void report(const std::string& name, const Series& series, const std::string& unit, Bar bar = {});

} // namespace fencebridge::test
