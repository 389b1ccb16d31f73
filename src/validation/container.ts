import type { INestApplicationContext, Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { useContainer } from 'class-validator';

/**
 * Lets class-validator take rules that depend on settings from Nest, and make the others itself.
 * Each is looked for once: Nest says that it does not know one by throwing.
 */
export function useNestForRules(app: INestApplicationContext): void {
  const modules = app.get(ModuleRef);
  const rules = new Map<Type, unknown>();
  useContainer({
    get(type: Type): unknown {
      if (!rules.has(type)) rules.set(type, find(modules, type) ?? new type());
      return rules.get(type);
    },
  });
}

function find(modules: ModuleRef, type: Type): unknown {
  try {
    return modules.get<unknown>(type, { strict: false });
  } catch {
    return undefined;
  }
}
