// A call as a line of text: name, arguments, result, outputs. The scripted application writes what
// it sees so, the recording layer what reaches it.
//
// Handles and other pointers are written as @address@; the reader makes numbers of them, in their
// order of appearance (recording.cpp). An output handle is new@address@.
#pragma once

#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace fencebridge::test {

namespace call_text {

/// VkDevice and VkImage point to types that nobody knows; structures are known.
template<typename T, typename = void>
struct IsKnown : std::false_type {};
template<typename T>
struct IsKnown<T, std::void_t<decltype(sizeof(T))>> : std::true_type {};

template<typename T>
constexpr bool is_handle =
    std::is_pointer_v<T> && !IsKnown<std::remove_pointer_t<T>>::value &&
    !std::is_void_v<std::remove_pointer_t<T>> && !std::is_function_v<std::remove_pointer_t<T>>;

template<typename T>
concept Extensible = requires(T& it) {
    it.sType;
    it.pNext;
};

inline void add_address(std::string& text, uint64_t address) {
    std::array<char, 24> buffer{};
    (void)std::snprintf(buffer.data(), buffer.size(), address == 0 ? "0" : "@%llx@",
                        static_cast<unsigned long long>(address));
    text += buffer.data();
}

/// Above what a program's memory begins with, below where user space ends. So are two words of
/// which the second is 256 to 32767: the script's numbers are smaller, or stand first.
constexpr bool may_be_pointer(uint64_t value) {
    return value >> 40U != 0 && value >> 47U == 0;
}

/// What a structure holds, in words of 32 bits; where it may hold pointers, what looks like one is
/// written as one.
inline void add_content(std::string& text, const void* data, size_t from, size_t size,
                        bool has_pointers) {
    const auto* const bytes = static_cast<const char*>(data);
    for (size_t at = from; at < size; at += sizeof(uint32_t)) {
        uint64_t pair = 0;
        if (has_pointers && at % sizeof(pair) == 0 && at + sizeof(pair) <= size) {
            std::memcpy(&pair, bytes + at, sizeof(pair));
        }
        text += text.ends_with('{') ? "" : ",";
        if (may_be_pointer(pair)) {
            add_address(text, pair);
            at += sizeof(uint32_t);
            continue;
        }
        uint32_t word = 0;
        std::memcpy(&word, bytes + at, std::min(sizeof(word), size - at));
        std::array<char, 12> buffer{};
        (void)std::snprintf(buffer.data(), buffer.size(), "%x", word);
        text += buffer.data();
    }
}

/// The types of the structures in a chain, but for the loader's own, which only layers see.
inline void add_chain(std::string& text, const void* next) {
    for (const auto* item = static_cast<const VkBaseInStructure*>(next); item != nullptr;
         item = item->pNext) {
        if (item->sType != VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO &&
            item->sType != VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO) {
            text += "+" + std::to_string(item->sType);
        }
    }
}

/// Where a structure is large: enough to tell two of them from one another.
inline void add_sum(std::string& text, const void* data, size_t from, size_t size) {
    uint64_t sum = 14695981039346656037U; // FNV-1a
    for (size_t at = from; at < size; ++at) {
        sum = (sum ^ static_cast<const unsigned char*>(data)[at]) * 1099511628211U;
    }
    text += "sum " + std::to_string(sum);
}

template<typename T>
void add_structure(std::string& text, const T& it, bool has_pointers) {
    constexpr size_t from = Extensible<T> ? 2 * sizeof(void*) : 0;
    text += "{";
    if (sizeof(T) > 128 && !has_pointers) {
        add_sum(text, &it, from, sizeof(T));
    } else {
        add_content(text, &it, from, sizeof(T), has_pointers);
    }
    if constexpr (Extensible<T>) {
        add_chain(text, it.pNext);
    }
    text += "}";
}

/// An argument as it goes in; outputs are written behind the result.
template<typename T>
void add_input(std::string& text, T argument) {
    if constexpr (std::is_floating_point_v<T>) {
        text += std::to_string(argument);
    } else if constexpr (!std::is_pointer_v<T>) {
        // A handle of any kind is given as a number (private data).
        const auto number = static_cast<uint64_t>(argument);
        if (may_be_pointer(number)) {
            add_address(text, number);
        } else {
            text += std::to_string(number);
        }
    } else if (argument == nullptr) {
        text += "0";
    } else if constexpr (is_handle<T>) {
        add_address(text, reinterpret_cast<uintptr_t>(argument));
    } else if constexpr (std::is_same_v<T, const char*>) {
        text += argument;
    } else if constexpr (std::is_const_v<std::remove_pointer_t<T>> &&
                         std::is_class_v<std::remove_pointer_t<T>> &&
                         IsKnown<std::remove_pointer_t<T>>::value) {
        add_structure(text, *argument, true);
    } else {
        text += "*";
    }
}

/// `count`: of elements, where the argument before says so; it is the next argument's if this one
/// is a count.
template<typename T>
void add_output(std::string& text, T argument, uint32_t& count) {
    using Target = std::remove_pointer_t<T>;
    if constexpr (std::is_pointer_v<T> && !is_handle<T>) {
        if constexpr (!std::is_const_v<Target> && !std::is_void_v<Target> &&
                      !std::is_function_v<Target>) {
            const uint32_t elements = count;
            count = 1;
            for (uint32_t i = 0; argument != nullptr && i < elements; ++i) {
                text += " ";
                if constexpr (is_handle<Target>) {
                    text += "new";
                    add_address(text, reinterpret_cast<uintptr_t>(argument[i]));
                } else if constexpr (std::is_same_v<Target, int>) {
                    text += argument[i] >= 0 ? "descriptor" : "none";
                } else if constexpr (std::is_pointer_v<Target>) {
                    text += argument[i] != nullptr ? "pointer" : "0";
                } else if constexpr (std::is_class_v<Target>) {
                    add_structure(text, argument[i], false);
                } else if constexpr (std::is_union_v<Target>) {
                    text += "union";
                } else {
                    text += std::to_string(argument[i]);
                }
            }
            if constexpr (std::is_same_v<Target, uint32_t>) {
                count = argument != nullptr ? *argument : 1;
            }
        }
    }
}

/// The same function under its names of before and after its promotion: below our layer either may
/// be called for the other (dispatch/aliases).
inline std::string_view plain_name(std::string_view name) {
    for (const std::string_view suffix : {"KHR", "EXT"}) {
        if (name.ends_with(suffix)) {
            return name.substr(0, name.size() - suffix.size());
        }
    }
    return name;
}

template<typename... Arguments>
std::string inputs(std::string_view name, Arguments... arguments) {
    std::string text(name);
    text += "(";
    ((add_input(text, arguments), text += ";"), ...);
    text.back() = ')';
    return text;
}

template<typename... Arguments>
std::string outputs(Arguments... arguments) {
    std::string text;
    [[maybe_unused]] uint32_t count = 1;
    (add_output(text, arguments, count), ...);
    return text;
}

/// What comes behind the arguments. Where the call has failed its outputs mean nothing.
template<typename Result, typename... Arguments>
std::string answer(Result result, Arguments... arguments) {
    if constexpr (std::is_same_v<Result, VkResult>) {
        return " = " + std::to_string(result) + (result >= 0 ? outputs(arguments...) : "");
    } else {
        // Addresses of devices and functions: only whether there is one is anybody's promise.
        return result != Result{} ? " = some" : " = none";
    }
}

} // namespace call_text

} // namespace fencebridge::test
