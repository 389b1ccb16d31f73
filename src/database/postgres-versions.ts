/** Oldest PostgreSQL that anybody still looks after. */
export const LEAST_MAJOR = 14;
/** The one that the tests run on. */
export const TESTED_MAJOR = 17;
