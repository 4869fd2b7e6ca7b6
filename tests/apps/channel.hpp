// Messages, and descriptors, between two processes: one SOCK_SEQPACKET socket.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fencebridge::test {

/// Sends one message with descriptors (borrowed). False where the peer is gone.
bool send_message(int socket, const void* message, size_t size, std::span<const int> fds = {});

/// Receives one message of exactly `size` bytes. Descriptors that came with it are the caller's.
/// False where the peer is gone.
bool receive_message(int socket, void* message, size_t size, std::vector<int>* fds = nullptr);

template<typename T>
bool send(int socket, const T& message, std::span<const int> fds = {}) {
    return send_message(socket, &message, sizeof(message), fds);
}
template<typename T>
bool receive(int socket, T& message, std::vector<int>* fds = nullptr) {
    return receive_message(socket, &message, sizeof(message), fds);
}

} // namespace fencebridge::test
