import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { rule } from './rules';

/** A whole number in a query, from `least` to `most`. */
export function IntegerParameter(least: number, most: number): PropertyDecorator {
  const isNumber = (value: unknown): value is number => typeof value === 'number';
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value,
    ),
    rule('integer', isNumber),
    rule('atLeast', (value) => isNumber(value) && value >= least, least),
    rule('atMost', (value) => isNumber(value) && value <= most, most),
  );
}

/** What pydantic v1 takes for a boolean. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['1', 'true', 't', 'on', 'yes', 'y'].map((text) => [text, true])),
  ...Object.fromEntries(['0', 'false', 'f', 'off', 'no', 'n'].map((text) => [text, false])),
};

/** A switch in a query. */
export function BooleanParameter(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? (BOOLEANS[value.toLowerCase()] ?? value) : value,
    ),
    rule('boolean', (value) => typeof value === 'boolean'),
  );
}
