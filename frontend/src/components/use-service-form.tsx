import { useForm, type UseFormInput, type UseFormReturnType } from '@mantine/form';
import type { UseMutationResult } from '@tanstack/react-query';
import type { JSX, SubmitEvent } from 'react';
import { type FieldProblem, Problem } from '../api/problem';
import { useSpeech } from '../i18n/language';
import { fieldWords, nameOf, type StatusWords } from '../i18n/problem-words';
import { ProblemAlert } from './problem-alert';
import { Say, type Word } from './say';

/** What a status says of a field. */
interface StatusAt {
  readonly field: string;
  readonly says: Word;
}

/** A form whose fields the service checks. */
interface ServiceForm<Values extends Record<string, string>> {
  readonly form: UseFormReturnType<Values>;
  readonly onSubmit: (event: SubmitEvent<HTMLFormElement>) => void;
  /** What went wrong, but for what is told at the fields; stands above them. */
  readonly problem: JSX.Element;
}

/**
 * A form that sends its values to the service, and shows at each field what the service says of it.
 *
 * @param mutation sends them
 * @param options.onSuccess called when they were taken
 * @param options.words what a status means here
 * @param options.at where it is about one field, that, and what is said there
 */
export function useServiceForm<Values extends Record<string, string>>(
  input: UseFormInput<Values>,
  mutation: UseMutationResult<unknown, Error, Values>,
  options: {
    readonly onSuccess?: (values: Values) => void;
    readonly words?: StatusWords;
    readonly at?: Readonly<Partial<Record<number, StatusAt>>>;
  } = {},
): ServiceForm<Values> {
  const form = useForm<Values>({ mode: 'uncontrolled', ...input });
  const names = Object.keys(form.getValues());
  const focus = (field: string | undefined): void => {
    if (field !== undefined) form.getInputNode(field)?.focus();
  };
  const statusAt = (error: Error | null): StatusAt | undefined =>
    error instanceof Problem ? options.at?.[error.status] : undefined;
  const onSubmit = form.onSubmit(
    (values) => {
      mutation.mutate(values, {
        onSuccess: () => {
          options.onSuccess?.(values);
        },
        onError: (error) => {
          if (!(error instanceof Problem)) return;
          const at = statusAt(error);
          if (at !== undefined) {
            form.setErrors({ [at.field]: <Say word={at.says} /> });
            focus(at.field);
            return;
          }
          const told = error.fields.filter((field) => names.includes(nameOf(field)));
          form.setErrors(
            Object.fromEntries(
              told.map((field) => [nameOf(field), <Told field={field} problem={error} />]),
            ),
          );
          // The first as they stand in the form.
          focus(names.find((name) => told.some((field) => nameOf(field) === name)));
        },
      });
    },
    (errors) => {
      focus(Object.keys(errors)[0]);
    },
  );
  const above = statusAt(mutation.error) === undefined ? mutation.error : null;
  const problem = <ProblemAlert error={above} words={options.words} told={names} />;
  return { form, onSubmit, problem };
}

/** What the service says of a field, in the language that the page has by now. */
function Told({
  field,
  problem,
}: {
  readonly field: FieldProblem;
  readonly problem: Problem;
}): string {
  return fieldWords(field, problem, useSpeech());
}

/** Rule of a field that must not be empty. */
export function required(value: string): JSX.Element | null {
  return value === '' ? <Say word="required" /> : null;
}
