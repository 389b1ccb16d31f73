import { type ArgumentMetadata, Injectable, type Type, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { type FieldError, ValidationFailed } from '../errors/api-error';
import { FIELD_MESSAGES, type FieldMessageName } from '../errors/messages';

/** Rules that do not hold, of whatever part of a request. */
class BrokenRules extends Error {
  constructor(readonly errors: ValidationError[]) {
    super();
  }
}

/**
 * Checks a body or a query against its DTO, whose rules stop at the first that fails, and answers
 * 422 with one entry a field, in the order of the DTO. Members that the DTO does not have are
 * dropped.
 */
@Injectable()
export class RequestValidationPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      stopAtFirstError: true,
      exceptionFactory: (errors: ValidationError[]) => new BrokenRules(errors),
    });
  }

  /** A body that no parameter of a route is, checked against a DTO. */
  async body<T extends object>(dto: Type<T>, value: unknown): Promise<T> {
    // Of a DTO, class-transformer makes what it is told to.
    return (await this.transform(value, { type: 'body', metatype: dto })) as T;
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'custom') return value;
    if (metadata.type === 'body') assertObject(value);
    try {
      // Awaited here, where it can be caught.
      return (await super.transform(value, metadata)) as unknown;
    } catch (error) {
      if (!(error instanceof BrokenRules)) throw error;
      const failed = new Set(error.errors.map(({ property }) => property));
      const worthTelling = error.errors.filter(
        ({ constraints }) => !failed.has(comparedWith(constraints)),
      );
      throw new ValidationFailed(worthTelling.map((e) => toFieldError(metadata.type, e)));
    }
  }
}

/** @throws ValidationFailed */
function assertObject(body: unknown): void {
  if (body === undefined || body === null) {
    throw new ValidationFailed([{ loc: ['body'], messageName: 'required' }]);
  }
  if (typeof body !== 'object' || Array.isArray(body) || Buffer.isBuffer(body)) {
    throw new ValidationFailed([{ loc: ['body'], messageName: 'object' }]);
  }
}

/** The field that a failed comparison was made with: if that is wrong, there is nothing to compare. */
function comparedWith(constraints: ValidationError['constraints']): string {
  return constraints?.['passwordsMatch' satisfies FieldMessageName] ?? '';
}

/** A rule is named like its message, and its message is its parameter; see `rule`. */
function toFieldError(
  location: string,
  { property, constraints = {} }: ValidationError,
): FieldError {
  const [[name, parameter] = ['', '']] = Object.entries(constraints);
  if (!isFieldMessageName(name)) throw new Error(`No words for the rule ${name} of ${property}`);
  return {
    loc: [location, property],
    messageName: name,
    parameter: /^\d+$/.test(parameter) ? Number(parameter) : parameter,
  };
}

function isFieldMessageName(name: string): name is FieldMessageName {
  return name in FIELD_MESSAGES;
}
