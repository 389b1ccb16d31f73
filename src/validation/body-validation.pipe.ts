import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { type FieldError, ValidationFailed } from '../errors/api-error';
import { FIELD_MESSAGES, type FieldMessageName } from '../errors/messages';

/**
 * Checks a body against its DTO, whose rules stop at the first that fails, and answers 422 with one
 * entry a field, in the order of the DTO. Members that the DTO does not have are dropped.
 */
@Injectable()
export class BodyValidationPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      stopAtFirstError: true,
      exceptionFactory: (errors: ValidationError[]) => {
        const failed = new Set(errors.map(({ property }) => property));
        const worthTelling = errors.filter(
          ({ constraints }) => !failed.has(comparedWith(constraints)),
        );
        return new ValidationFailed(worthTelling.map(toFieldError));
      },
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'custom') return value;
    if (metadata.type !== 'body') return super.transform(value, metadata) as Promise<unknown>;
    if (value === undefined || value === null) {
      throw new ValidationFailed([{ loc: ['body'], messageName: 'required' }]);
    }
    if (typeof value !== 'object' || Array.isArray(value) || Buffer.isBuffer(value)) {
      throw new ValidationFailed([{ loc: ['body'], messageName: 'object' }]);
    }
    return super.transform(value, metadata) as Promise<unknown>;
  }
}

/** The field that a failed comparison was made with: if that is wrong, there is nothing to compare. */
function comparedWith(constraints: ValidationError['constraints']): string {
  return constraints?.['passwordsMatch' satisfies FieldMessageName] ?? '';
}

/** A rule is named like its message, and its message is its parameter; see `rule`. */
function toFieldError({ property, constraints = {} }: ValidationError): FieldError {
  const [[name, parameter] = ['', '']] = Object.entries(constraints);
  if (!isFieldMessageName(name)) throw new Error(`No words for the rule ${name} of ${property}`);
  return {
    loc: ['body', property],
    messageName: name,
    parameter: /^\d+$/.test(parameter) ? Number(parameter) : parameter,
  };
}

function isFieldMessageName(name: string): name is FieldMessageName {
  return name in FIELD_MESSAGES;
}
