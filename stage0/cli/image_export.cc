// SPDX-License-Identifier: Apache-2.0
#include "common/sys/sys.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    bool overwrite = false;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("overwrite", options.overwrite, "overwrite output ACI");
}

struct Place {
    std::string directory;
    std::string name;
};

Place split(const std::string& path)
{
    const auto slash = path.rfind('/');
    if (slash == path.npos)
        return {".", path};
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// Under a name of its own until it is whole, so that nobody takes half an image for one.
void write_file(const store::Store& store, const model::ImageId& id, const std::string& path, bool overwrite)
{
    const auto place = split(path);
    const auto directory = sys::open(AT_FDCWD, place.directory, O_RDONLY | O_DIRECTORY);
    const auto temporary = fmt::format(".{}.{}", place.name.substr(0, 200), sys::random_name());
    try {
        const auto file = sys::open(directory.get(), temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0644);
        sys::check([&] { return ::fchmod(file.get(), 0644); }, "setting the mode of {}", text::quoted(path));
        store.write_image(id, file.get());
        sys::fsync(file.get());
        if (overwrite)
            sys::rename(directory.get(), temporary, directory.get(), place.name);
        else if (!sys::rename_no_replace(directory.get(), temporary, directory.get(), place.name))
            fail(Error::Kind::usage, "output ACI file exists (try --overwrite)");
    } catch (...) {
        ::unlinkat(directory.get(), temporary.c_str(), 0); // may never have been made; the first error matters
        throw;
    }
}

int run(Invocation& invocation, const Options& options)
{
    if (invocation.args.size() != 2)
        throw UsageRequested{};
    const auto& path = invocation.args[1];
    if (!path.ends_with(".aci"))
        throw Error{Error::Kind::usage, fmt::format("{} does not end in .aci", text::quoted(path)),
                    "images have that suffix, whatever their compression"};
    if (!options.overwrite && sys::stat_if_exists(AT_FDCWD, path))
        fail(Error::Kind::usage, "output ACI file exists (try --overwrite)");
    Progress progress;
    const auto store = open_store(invocation.context, progress);
    const auto id = image::find_in_store(store, invocation.args[0]);
    in_context("error exporting image", [&] { write_file(store, id, path, options.overwrite); });
    return 0;
}

} // namespace

Command image_export_command()
{
    return command<Options>({.path = {"image", "export"},
                             .arguments = "IMAGE OUTPUT.aci",
                             .purpose = "export a stored image to an ACI file",
                             .description = "Writes the uncompressed image; its digest is checked on the way."},
                            declare, run);
}

} // namespace rocket::cli
