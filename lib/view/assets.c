/* SPDX-License-Identifier: Apache-2.0 */
/* Files built in. The assembler of gcc and clang takes them as they are. */
#include "view/assets.h"

#define ASSET(name, file)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            ".hidden asset_" #name "\n.globl asset_" #name "\nasset_" #name ":\n"                  \
            ".incbin \"" file "\"\n"                                                               \
            ".hidden asset_" #name "_end\n.globl asset_" #name "_end\nasset_" #name "_end:\n"      \
            ".previous\n");                                                                        \
    extern const char asset_##name[], asset_##name##_end[]

ASSET(html, "share/view/page.html");
ASSET(style, "share/view/page.css");
ASSET(script, "share/view/page.js");

struct pof_text pof_view_html(void)
{
    return (struct pof_text){asset_html, (size_t)(asset_html_end - asset_html)};
}

struct pof_text pof_view_style(void)
{
    return (struct pof_text){asset_style, (size_t)(asset_style_end - asset_style)};
}

struct pof_text pof_view_script(void)
{
    return (struct pof_text){asset_script, (size_t)(asset_script_end - asset_script)};
}
