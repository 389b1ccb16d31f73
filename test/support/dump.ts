import type { TestDatabase } from './database';

/** Everything that pg_dump looks at in a schema without functions, types and triggers of its own. */
const OBJECTS = `
  SELECT 'relation' AS kind, relname AS name,
         concat_ws(' ', relkind, relowner::regrole, relacl, reloptions, relpersistence) AS definition
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT 'column', attrelid::regclass || '.' || attname,
         concat_ws(' ', (SELECT count(*) FROM pg_attribute b WHERE b.attrelid = a.attrelid
                            AND b.attnum BETWEEN 1 AND a.attnum AND NOT b.attisdropped),
                   format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attstorage,
                   attcompression, attstattarget, attacl, pg_get_expr(adbin, adrelid))
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
         LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
   WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL
  SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) || indisvalid
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT 'sequence', sequencename, pg_sequences::text FROM pg_sequences WHERE schemaname = 'public'
  UNION ALL
  SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL
  SELECT 'function', proname, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL
  SELECT 'type', typname, typtype::text FROM pg_type WHERE typnamespace = 'public'::regnamespace
  UNION ALL
  SELECT 'comment', pg_describe_object(classoid, objoid, objsubid), description FROM pg_description
   WHERE objoid >= 16384
   ORDER BY 1, 2, 3`;

/**
 * A database in words, schema and rows, as pg_dump would write it: two are the same if their texts
 * are. (There is no pg_dump among the binaries that npm has; the drills in containers use it.)
 */
export async function dumpOf(database: TestDatabase): Promise<string> {
  const objects = await database.query<{ kind: string; name: string; definition: string }>(OBJECTS);
  const tables = await database.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`,
  );
  const lines = objects.map(({ kind, name, definition }) => `${kind} ${name}: ${definition}`);
  for (const { name } of tables) {
    const rows = await database.query<{ line: string }>(
      `SELECT t::text AS line FROM ${name} AS t ORDER BY 1`,
    );
    lines.push(...rows.map(({ line }) => `${name} ${line}`));
  }
  return lines.join('\n');
}
