#include "entry/states.hpp"

namespace fencebridge {

States& states() {
    static auto* const instance = new States;
    return *instance;
}

} // namespace fencebridge
