import { useForm, type UseFormInput, type UseFormReturnType } from '@mantine/form';
import type { UseMutationResult } from '@tanstack/react-query';
import type { SubmitEvent } from 'react';
import { Problem } from '../api/problem';

/** A form whose fields the service checks. */
interface ServiceForm<Values extends Record<string, string>> {
  readonly form: UseFormReturnType<Values>;
  readonly onSubmit: (event: SubmitEvent<HTMLFormElement>) => void;
}

/**
 * A form that sends its values to the service, and shows at each field what the service says of it.
 *
 * @param mutation sends them
 * @param onSuccess called when they were taken
 */
export function useServiceForm<Values extends Record<string, string>>(
  input: UseFormInput<Values>,
  mutation: UseMutationResult<unknown, Error, Values>,
  onSuccess?: () => void,
): ServiceForm<Values> {
  const form = useForm<Values>({ mode: 'uncontrolled', ...input });
  const focus = (field: string | undefined): void => {
    if (field !== undefined) form.getInputNode(field)?.focus();
  };
  const onSubmit = form.onSubmit(
    (values) => {
      mutation.mutate(values, {
        onSuccess: () => {
          onSuccess?.();
        },
        onError: (error) => {
          if (!(error instanceof Problem)) return;
          form.setErrors(error.fields);
          // The first as they stand in the form.
          focus(Object.keys(form.getValues()).find((field) => field in error.fields));
        },
      });
    },
    (errors) => {
      focus(Object.keys(errors)[0]);
    },
  );
  return { form, onSubmit };
}
