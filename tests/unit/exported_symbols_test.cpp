// A layer lives in other people's processes: it exports what the loader calls and nothing else.
#include "support/child_process.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <link.h>
#include <set>
#include <string>
#include <vector>

namespace fencebridge::test {

namespace {

class ElfFile {
public:
    explicit ElfFile(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        bytes_.assign(std::istreambuf_iterator<char>(file), {});
    }

    /// The defined symbols of .dynsym that other libraries could bind to.
    std::set<std::string> exported_symbols() const {
        std::set<std::string> names;
        for (const ElfW(Shdr) & section : sections()) {
            if (section.sh_type != SHT_DYNSYM) {
                continue;
            }
            const ElfW(Shdr) strings = sections().at(section.sh_link);
            for (const ElfW(Sym) & symbol :
                 items<ElfW(Sym)>(section.sh_offset, section.sh_size / sizeof(ElfW(Sym)))) {
                const unsigned binding = symbol.st_info >> 4U;
                if (symbol.st_shndx != SHN_UNDEF && symbol.st_name != 0 && binding != STB_LOCAL) {
                    names.insert(&bytes_.at(strings.sh_offset + symbol.st_name));
                }
            }
        }
        return names;
    }

    bool is_elf() const {
        return bytes_.size() > sizeof(ElfW(Ehdr)) &&
               std::memcmp(bytes_.data(), ELFMAG, SELFMAG) == 0;
    }

private:
    template<typename T>
    std::vector<T> items(size_t offset, size_t count) const {
        std::vector<T> list(count);
        if (offset + count * sizeof(T) > bytes_.size()) {
            throw std::out_of_range("a table beyond the end of the file");
        }
        std::memcpy(list.data(), bytes_.data() + offset, count * sizeof(T));
        return list;
    }
    std::vector<ElfW(Shdr)> sections() const {
        const auto header = items<ElfW(Ehdr)>(0, 1).front();
        return items<ElfW(Shdr)>(header.e_shoff, header.e_shnum);
    }

    std::vector<char> bytes_;
};

} // namespace

TEST(ExportedSymbols, AreTheLoadersAndNothingElse) {
    const ElfFile library(from_build("FENCEBRIDGE_LIBRARY"));
    ASSERT_TRUE(library.is_elf());
    EXPECT_EQ(library.exported_symbols(),
              std::set<std::string>{"vkNegotiateLoaderLayerInterfaceVersion"});
}

} // namespace fencebridge::test
