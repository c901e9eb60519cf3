/* SPDX-License-Identifier: Apache-2.0 */
/* Colours of values. */
#include "view/scale.h"

#include <math.h>

const uint32_t pof_view_voltage_stops[POF_VIEW_STOPS] = {0x0b3c7d, 0x2f74c0, 0x8fbce6, 0xe9e6df,
                                                         0xf2b26b, 0xd9731a, 0x8a3b00};
const uint32_t pof_view_loading_stops[POF_VIEW_STOPS] = {0xa9b7c6, 0x8ea4b3, 0x718f9b, 0x527a80,
                                                         0x38605e, 0x24443c, 0x14271d};

uint32_t pof_view_colour(const uint32_t *stops, double at)
{
    if (isnan(at)) {
        return POF_VIEW_UNKNOWN;
    }
    at = fmin(fmax(at, 0), 1) * (POF_VIEW_STOPS - 1);
    int low = (int)fmin(at, POF_VIEW_STOPS - 2);
    uint32_t colour = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
        double a = stops[low] >> shift & 255u, b = stops[low + 1] >> shift & 255u;
        colour |= (uint32_t)lrint(a + (b - a) * (at - low)) << shift;
    }
    return colour;
}
