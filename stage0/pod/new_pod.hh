// SPDX-License-Identifier: Apache-2.0
// A pod directory under construction: made in embryo/, locked, moved to prepare/ and filled there; then published by
// one rename, to prepared/ or run/. Killed at any point it leaves a directory that gc takes away; when anything
// throws, the destructor does that at once. Before the rename to prepared/ everything is on disk; a pod in run/ does
// not outlive a power cut, and is not waited for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/model/layout.hh"
#include "common/model/pod_manifest.hh"
#include "common/sys/lock.hh"
#include "stage0/pod/image.hh"
#include "stage0/pod/pod.hh"
#include "stage0/pod/seeds.hh"
#include "stage0/pod/stage1_image.hh"

namespace rocket::pod
{

struct PodContent {
    const model::PodManifest& manifest;
    const std::vector<Image>& images; // of manifest.apps, in the same order
    const Stage1Image& stage1;
    bool overlay = true; // false: each app gets a copy of its image's tree
    bool private_users = false;
    std::vector<Seed> seeds = {};
    std::string origins = {}; // origins.hh, as JSON; empty: nothing is known
};

// A pod and its lock, held by us.
struct OwnedPod {
    Pod pod;
    Lock lock;
};

class NewPod
{
public:
    // `tick` is called now and then while much data is copied.
    NewPod(const model::Layout& layout, std::function<void()> tick);
    ~NewPod();
    NewPod(const NewPod&) = delete;
    NewPod& operator=(const NewPod&) = delete;

    const PodId& id() const { return owned_->pod.id(); }
    void fill(const PodContent& content);
    OwnedPod publish(PodStage stage) &&; // prepared or run

private:
    void fill_app(const model::RuntimeApp& app, const Image& image, bool overlay);
    void fill_volumes(const PodContent& content);
    void make_dir(const std::string& path, mode_t mode);
    void write(const std::string& path, std::string_view content);
    void sync();

    model::Layout layout_;
    std::function<void()> tick_;
    std::optional<OwnedPod> owned_;
    std::vector<Fd> written_;   // files and directories that are to be on disk before anybody sees a prepared pod
    bool copied_trees_ = false; // and more than that
};

// The directory of one app in a pod directory, with its image's manifest and its own layer or copy.
void make_app_directory(int pod_dir, const model::RuntimeApp& app, const Image& image, bool overlay,
                        const std::function<void()>& tick);

} // namespace rocket::pod
