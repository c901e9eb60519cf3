/* SPDX-License-Identifier: Apache-2.0 */
/* Colours of values, for pages and pictures alike. Blue to orange and dark to light are told apart by
 * people with any of the common colour deficiencies; beyond a limit a shape says so too, never a colour
 * alone. */
#ifndef POF_VIEW_SCALE_H
#define POF_VIEW_SCALE_H

#include <stdint.h>

/* Stops at equal distances from 0 to 1, 0xRRGGBB; between them linear in RGB. */
enum { POF_VIEW_STOPS = 7 };
extern const uint32_t pof_view_voltage_stops[POF_VIEW_STOPS]; /* low blue, 1 p.u. pale, high orange */
extern const uint32_t pof_view_loading_stops[POF_VIEW_STOPS]; /* empty pale to full dark */

/* The colour at a place of a scale, clamped; NaN gives the grey of what is not known. */
uint32_t pof_view_colour(const uint32_t *stops, double at);
#define POF_VIEW_UNKNOWN 0x9a9a9au

#endif
