#include "support/lesser_driver.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

namespace fencebridge::test {

DriverWithoutHeadless without_headless(const std::filesystem::path& of,
                                       const TemporaryFolder& folder) {
    std::ifstream file(of);
    nlohmann::json manifest = nlohmann::json::parse(file);
    std::filesystem::path library = manifest.at("ICD").at("library_path").get<std::string>();
    if (library.has_parent_path()) {
        library = of.parent_path() / library; // where it is relative, to the manifest
    }
    manifest["ICD"]["library_path"] = from_build("FENCEBRIDGE_DRIVER_WITHOUT_HEADLESS");
    return {
        .manifest = folder.write("driver_without_headless.json", manifest.dump()),
        .environment = {{"FENCEBRIDGE_HIDDEN_DRIVER", library.string()}},
    };
}

} // namespace fencebridge::test
