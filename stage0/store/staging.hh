// SPDX-License-Identifier: Apache-2.0
// A directory of our own in DATA/cas/tmp, on the file system of the store: what is made in it is published by a
// rename, and whatever is left goes with it. It is locked as long as its owner lives; the unlocked ones are leftovers.
#pragma once

#include <string>

#include "common/model/layout.hh"
#include "common/sys/lock.hh"

namespace rocket::store
{

class Staging
{
public:
    explicit Staging(const model::Layout& layout);
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;
    ~Staging();

    int fd() const noexcept { return lock_.fd(); }

private:
    static Lock make(int parent, std::string& name);

    Fd parent_;
    std::string name_;
    Lock lock_;
};

// Takes parent/name out of sight by one rename into DATA/garbage, to disk, and returns the name it has there.
// Empty if it was not there, or if it is root's and the caller is not: then it is out of sight where it was, and
// deleted by the next command of root's that writes.
std::string discard(const model::Layout& layout, int parent, const std::string& name);
// Deletes what discard() took away.
void delete_garbage(const model::Layout& layout, const std::string& name);
// Staging directories and garbage of the store that nobody holds.
void sweep(const model::Layout& layout);

} // namespace rocket::store
