// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/extract.hh"

#include <archive_entry.h>

#include <utility>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/unpack/member_name.hh"

namespace rocket::unpack
{

namespace
{

class Extraction
{
public:
    Extraction(const Read& read, Fd root, const ExtractOptions& options,
               const std::function<void(std::string_view)>& on_manifest)
        : options_{options}, on_manifest_{on_manifest}, reader_{read, options.limits}, writer_{std::move(root),
                                                                                               options.limits,
                                                                                               {.fidelity =
                                                                                                    options.fidelity}}
    {
    }

    TreeSummary run();

private:
    using Member = TarReader::Member;
    void on_member(const Member& member);
    void on_manifest(const Member& member);
    void on_rootfs(const Member& member, const std::string& path);
    void on_hard_link(const std::string& path, const std::string& raw_target);

    const ExtractOptions& options_;
    const std::function<void(std::string_view)>& on_manifest_;
    TarReader reader_;
    TreeWriter writer_;
    bool has_manifest_ = false;
};

TreeSummary Extraction::run()
{
    while (const auto member = reader_.next())
        on_member(*member);
    reader_.expect_end();
    if (!has_manifest_)
        fail(Error::Kind::corrupt, "no image manifest in the archive");
    if (!writer_.has_root())
        fail(Error::Kind::corrupt, "no rootfs in the archive");
    return writer_.finish();
}

void Extraction::on_member(const Member& member)
{
    const auto name = parse_member_name(member.path, options_.limits);
    switch (name.place) {
    case MemberName::Place::nothing:
        if (::archive_entry_filetype(member.entry) != AE_IFDIR || member.hard_link)
            fail(Error::Kind::corrupt, "the archive's top {} is not a directory", text::quoted(member.path));
        return;
    case MemberName::Place::manifest:
        return on_manifest(member);
    case MemberName::Place::rootfs:
        return on_rootfs(member, name.path);
    }
}

void Extraction::on_manifest(const Member& member)
{
    if (std::exchange(has_manifest_, true))
        fail(Error::Kind::corrupt, "the archive holds \"manifest\" twice");
    if (::archive_entry_filetype(member.entry) != AE_IFREG || member.hard_link)
        fail(Error::Kind::corrupt, "the manifest is not a regular file");
    std::string content;
    const void* bytes = nullptr;
    std::size_t size = 0;
    std::uint64_t offset = 0;
    while (reader_.next_block(bytes, size, offset)) {
        if (offset != content.size())
            fail(Error::Kind::corrupt, "the manifest has holes");
        if (content.size() + size > options_.limits.manifest_bytes)
            fail(Error::Kind::corrupt, "the manifest is larger than {} bytes (limit manifest-bytes)",
                 options_.limits.manifest_bytes);
        content.append(static_cast<const char*>(bytes), size);
    }
    on_manifest_(content);
}

void Extraction::on_rootfs(const Member& member, const std::string& path)
{
    if (member.hard_link)
        return on_hard_link(path, *member.hard_link);
    if (path.empty() && ::archive_entry_filetype(member.entry) != AE_IFDIR)
        fail(Error::Kind::corrupt, "rootfs is not a directory");
    place_member(reader_, member, path, writer_, options_);
}

void Extraction::on_hard_link(const std::string& path, const std::string& raw_target)
{
    MemberName target;
    try {
        target = parse_member_name(raw_target, options_.limits);
    } catch (const Error& error) {
        fail(Error::Kind::corrupt, "{} is a hard link, and {}", text::quoted("rootfs/" + path), error.innermost());
    }
    if (target.place != MemberName::Place::rootfs)
        fail(Error::Kind::corrupt, "{} is a hard link to {}, which is not below rootfs", text::quoted("rootfs/" + path),
             text::quoted(raw_target));
    writer_.hard_link(path, target.path);
}

} // namespace

void prepare_extraction()
{
    prepare_tar_reader();
    store::prepare_hashes();
}

TreeSummary extract(const Read& read, Fd root, const ExtractOptions& options,
                    const std::function<void(std::string_view)>& on_manifest)
{
    return Extraction{read, std::move(root), options, on_manifest}.run();
}

} // namespace rocket::unpack
