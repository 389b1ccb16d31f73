/** Where it is written down which migrations have run; others in the database may have such tables too. */
export const MIGRATIONS_TABLE = 'user_account_migration';
