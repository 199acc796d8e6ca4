// SPDX-License-Identifier: Apache-2.0
// Writes a file tree below one directory descriptor, from members in archive order, and computes its digest on the
// way (each byte is hashed and written once). No link is ever followed: a member below anything but a directory is
// refused, so what was checked is what is on disk (R2, R3, ACI-5, ACI-13). A second member of the same path is refused
// in an image, and takes the place of the first in a layer (OLYR-4, OLYR-7). Owner before mode before attributes;
// directories get theirs last (ACI-14). Without a directory it only computes the digest, which is always that of the
// archive. Errors: Kind::corrupt for the archive's faults, Kind::system for the disk's.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/fd.hh"
#include "stage0/store/tree_digest.hh"
#include "stage0/unpack/limits.hh"
#include "stage0/unpack/report.hh"

namespace rocket::unpack
{

// What is done with owners, set-id bits and attributes other than the user's own (user.*).
enum class Fidelity {
    exact,
    mine,     // left out: a writer without privilege keeps what it writes to itself
    readable, // the same, and the writer can read all of it: it is looked at and thrown away
};

class TreeWriter
{
public:
    struct Rules {
        bool replace = false;             // what is there already, rather than refuse
        std::string_view top = "rootfs/"; // what paths begin with in errors
        Fidelity fidelity = Fidelity::exact;
        bool stand_ins = false; // for device nodes: white-outs, which take no privilege; devices() tells which
    };
    TreeWriter(Fd root, const Limits& limits, Rules rules);

    // Paths are clean and relative to the root, whose own is "".
    void directory(const std::string& path, const store::Attributes& attributes);
    void special(const std::string& path, const store::Inode& inode); // symbolic link, FIFO, device
    void hard_link(const std::string& path, const std::string& target);

    void begin_file(const std::string& path, const store::Attributes& attributes);
    void write(std::uint64_t offset, std::string_view bytes); // offsets never go back; gaps are holes
    void end_file(std::uint64_t size);

    // --- only in layers, where rules.replace is set
    bool holds(const std::string& path) const { return nodes_.contains(path); }
    bool holds_directory(const std::string& path) const;
    void imply_parents(const std::string& path) { enter_parent(path); }
    void remove(const std::string& path); // with all that is below; it need not be there
    // The directory hides what lower layers have in it. The digest says so; the mark on disk is the broker's to make,
    // which has the privilege that it takes.
    void mark_opaque(const std::string& path);
    void state_directory(const std::string& path) { nodes_.at(path).is_stated = true; } // as if it had an entry
    std::vector<std::string> implied_directories() const; // that only something below them speaks of, in PathOrder

    // The nodes that others have to make of stand-ins, by all their paths. The digest says already what they are.
    std::map<std::string, store::Inode> devices() const;

    std::string shown(const std::string& path) const;
    bool has_root() const { return nodes_.at("").is_stated; } // whether the root directory had an entry of its own
    TreeSummary finish();

private:
    struct Node {
        bool is_directory = false;
        bool is_stated = false; // has an entry, rather than being implied by one below it
        std::size_t index = 0;  // into directories_ or inodes_
    };

    int enter_parent(const std::string& path);
    void imply_directory(const std::string& path);
    void claim(const std::string& path, Node node);
    void make_way(const std::string& path);
    void remove_from_disk(const std::string& path, bool is_directory);
    Fd open_directory(const std::string& path, int flags) const;
    void hash_zeros(std::uint64_t count);
    void apply(int fd, const std::string& path, const store::Attributes& attributes);
    template <typename Change>
    void set_mode(Change&& change, mode_t mode, const std::string& path);
    void finish_directories();

    store::Attributes to_write(const store::Attributes& attributes) const;

    const Limits& limits_;
    const Rules rules_;
    Fd root_;
    std::map<std::string, Node, store::PathOrder> nodes_;
    std::vector<store::Attributes> directories_;
    std::vector<std::string> opaque_;
    std::vector<store::Sha256> inodes_;
    std::map<std::size_t, store::Inode> devices_; // those that have stand-ins, by their place in inodes_

    std::string parent_path_; // of the last member: most of them come in runs
    Fd parent_;

    Fd file_;
    std::string file_path_;
    store::Inode file_inode_;
    store::Sha256Hasher file_hash_;
    std::uint64_t file_offset_ = 0;
    std::uint64_t file_bytes_ = 0; // of all files
    std::uint64_t lacks_set_ids_ = 0;
    std::string first_lacking_;
};

} // namespace rocket::unpack
