#include "support/own_dma_bufs.hpp"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <string>
#include <sys/stat.h>
#include <system_error>

namespace fencebridge::test {

std::vector<Fd> own_dma_bufs() {
    std::vector<Fd> found;
    std::set<ino_t> known;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const std::string target = std::filesystem::read_symlink(entry.path(), gone);
        if (gone || !target.starts_with("/dmabuf:")) {
            continue;
        }
        const std::string name = entry.path().filename();
        int number = -1;
        std::from_chars(name.data(), name.data() + name.size(), number);
        Fd copy(::fcntl(number, F_DUPFD_CLOEXEC, 0));
        struct stat status{};
        if (copy && ::fstat(copy.get(), &status) == 0 && known.insert(status.st_ino).second) {
            found.push_back(std::move(copy));
        }
    }
    return found;
}

} // namespace fencebridge::test
