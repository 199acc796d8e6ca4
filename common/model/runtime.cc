// SPDX-License-Identifier: Apache-2.0
#include "common/model/runtime.hh"

#include <algorithm>

#include "common/model/json_object.hh"

namespace rocket::model
{

namespace
{

std::string absolute_path(const json::Cursor& cursor)
{
    auto path = cursor.text();
    if (!path.starts_with('/'))
        cursor.fail(" must be an absolute path");
    return path;
}

std::vector<std::string> trees_from(const json::Cursor& cursor)
{
    std::vector<std::string> trees;
    for (const auto& item : cursor.items())
        trees.push_back(absolute_path(item));
    if (trees.empty())
        cursor.fail(" names no tree");
    return trees;
}

Runtime::App app_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    return {.name = fields.required("name").as<AppName>(),
            .image = fields.required("image").as<ImageId>(),
            .trees = trees_from(fields.required("trees"))};
}

json::Value to_json(const Runtime::App& app)
{
    return json::ObjectWriter{}
        .set("name", app.name.str())
        .set("image", app.image.digest())
        .set("trees", json::to_json(app.trees))
        .done();
}

} // namespace

Runtime Runtime::parse(std::string_view text)
{
    const auto value = json::parse(text, "runtime.json");
    json::Fields fields{{value, "runtime"}};
    Runtime runtime{.stage1_rootfs = absolute_path(fields.required("stage1_rootfs")),
                    .overlay = fields.required("overlay").boolean()};
    if (const auto image = fields.optional("stage1_image"))
        runtime.stage1_image = image->as<ImageId>();
    for (const auto& item : fields.required("apps").items())
        runtime.apps.push_back(app_from(item));
    return runtime;
}

std::string Runtime::write() const
{
    json::Array list;
    std::ranges::transform(apps, std::back_inserter(list), [](const App& app) { return to_json(app); });
    json::ObjectWriter object;
    object.set("stage1_rootfs", stage1_rootfs);
    if (stage1_image)
        object.set("stage1_image", stage1_image->str());
    return json::write(std::move(object).set("overlay", overlay).set("apps", std::move(list)).done());
}

const Runtime::App* Runtime::find(const AppName& name) const noexcept
{
    const auto app = std::ranges::find(apps, name, &App::name);
    return app == apps.end() ? nullptr : &*app;
}

} // namespace rocket::model
