/* What goes wrong outside of any one message: networks that part, relays that start anew, clocks
 * that jump, disks that fill up. Every few seconds something, until faults stop. */
#ifndef TEST_SIM_WEATHER_H
#define TEST_SIM_WEATHER_H

#include "test/sim/world.h"

/* Begins. */
void weather_start(struct world *world);
/* Ends it: everything is as it should be. */
void weather_clears(struct world *world);

#endif
