// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/meta_tags.hh"

#include <gumbo.h>

#include <cstdlib>
#include <string>
#include <unordered_set>

namespace rocket::fetch
{

namespace
{

constexpr std::size_t most_tags = 256;
constexpr std::size_t largest_content = 2048;

// All that gumbo allocates. Its own way to free a tree is recursion, as deep as the page likes.
class Memory
{
public:
    Memory() = default;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory()
    {
        for (void* block : blocks_)
            std::free(block);
    }
    GumboOptions options()
    {
        auto result = ::kGumboDefaultOptions;
        result.userdata = this;
        result.allocator = [](void* self, std::size_t size) { return static_cast<Memory*>(self)->allocate(size); };
        result.deallocator = [](void* self, void* block) { static_cast<Memory*>(self)->release(block); };
        return result;
    }

private:
    void* allocate(std::size_t size)
    {
        void* block = std::malloc(size);
        if (block == nullptr)
            std::abort(); // a worker that has no memory left is of no more use
        blocks_.insert(block);
        return block;
    }
    void release(void* block)
    {
        blocks_.erase(block);
        std::free(block);
    }
    std::unordered_set<void*> blocks_;
};

std::string_view attribute(const GumboElement& element, const char* name)
{
    const auto* found = ::gumbo_get_attribute(&element.attributes, name); // the first one of that name
    return found != nullptr ? found->value : std::string_view{};
}

// Contents that are text to a browser are text here; with scripts off it would show what is in noscript (DISC-18).
bool is_ignored(GumboTag tag)
{
    return tag == GUMBO_TAG_NOSCRIPT || tag == GUMBO_TAG_NOEMBED || tag == GUMBO_TAG_NOFRAMES ||
           tag == GUMBO_TAG_IFRAME || tag == GUMBO_TAG_XMP;
}

const GumboVector* children_of(const GumboNode& node)
{
    if (node.type == GUMBO_NODE_DOCUMENT)
        return &node.v.document.children;
    if ((node.type == GUMBO_NODE_ELEMENT || node.type == GUMBO_NODE_TEMPLATE) && !is_ignored(node.v.element.tag))
        return &node.v.element.children;
    return nullptr;
}

void take(const GumboNode& node, std::vector<Tag>& tags)
{
    if (node.type != GUMBO_NODE_ELEMENT || node.v.element.tag != GUMBO_TAG_META || tags.size() == most_tags)
        return;
    const auto name = attribute(node.v.element, "name");
    const auto content = attribute(node.v.element, "content");
    if (name.starts_with("ac-") && content.size() <= largest_content && name.size() <= largest_content)
        tags.push_back({std::string{name}, std::string{content}});
}

} // namespace

std::vector<Tag> ac_tags(std::string_view html)
{
    Memory memory;
    const auto options = memory.options();
    const auto* page = ::gumbo_parse_with_options(&options, html.data(), html.size());
    std::vector<Tag> tags;
    std::vector<const GumboNode*> open{page->document};
    while (!open.empty()) {
        const auto& node = *open.back();
        open.pop_back();
        take(node, tags);
        if (const auto* children = children_of(node))
            for (unsigned i = children->length; i > 0; --i) // the first one comes off the stack first
                open.push_back(static_cast<const GumboNode*>(children->data[i - 1]));
    }
    return tags;
}

} // namespace rocket::fetch
