/* The tables, as numbered migrations: row i takes a database from version i to i + 1. */
#include "store/store.h"

#include "schema_1.h"
#include "schema_10.h"
#include "schema_11.h"
#include "schema_12.h"
#include "schema_13.h"
#include "schema_14.h"
#include "schema_15.h"
#include "schema_16.h"
#include "schema_17.h"
#include "schema_18.h"
#include "schema_19.h"
#include "schema_2.h"
#include "schema_3.h"
#include "schema_4.h"
#include "schema_5.h"
#include "schema_6.h"
#include "schema_7.h"
#include "schema_8.h"
#include "schema_9.h"

const char *const schema_migrations[] = {schema_1,  schema_2,  schema_3,  schema_4,  schema_5,
                                         schema_6,  schema_7,  schema_8,  schema_9,  schema_10,
                                         schema_11, schema_12, schema_13, schema_14, schema_15,
                                         schema_16, schema_17, schema_18, schema_19};
const int schema_version = COUNT_OF(schema_migrations);
