import { Button, type ButtonProps, Group, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import type { JSX, ReactNode } from 'react';
import { ActionButton } from './action-button';
import { useSpeech } from '../i18n/language';

/** A button, and the dialog it opens: what is in it begins anew each time. */
export function FormDialog({
  title,
  button = {},
  children,
}: {
  readonly title: string;
  readonly button?: ButtonProps;
  readonly children: (close: () => void) => ReactNode;
}): JSX.Element {
  const { t } = useSpeech();
  const [opened, { open, close }] = useDisclosure(false);
  const small = useMediaQuery('(max-width: 36em)');
  return (
    <>
      <Button variant="default" onClick={open} {...button}>
        {title}
      </Button>
      <Modal.Root opened={opened} onClose={close} radius="lg" centered fullScreen={small}>
        <Modal.Overlay />
        <Modal.Content>
          {/* Not Modal.Header, which would be a second header of the page. */}
          <Group justify="space-between" wrap="nowrap" p="md">
            <Modal.Title fw={650}>{title}</Modal.Title>
            <Modal.CloseButton aria-label={t.close} />
          </Group>
          <Modal.Body>{children(close)}</Modal.Body>
        </Modal.Content>
      </Modal.Root>
    </>
  );
}

/** Form in a dialog: what it means, its fields, and the way on and the way out. */
export function DialogForm({
  hint,
  submit,
  working,
  onSubmit,
  close,
  children,
}: {
  readonly hint: string;
  readonly submit: { readonly name: string; readonly color?: string };
  readonly working: boolean;
  readonly onSubmit: React.ComponentProps<'form'>['onSubmit'];
  readonly close: () => void;
  readonly children: ReactNode;
}): JSX.Element {
  const { t } = useSpeech();
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack>
        <Text size="sm">{hint}</Text>
        {children}
        <Group justify="flex-end" mt="xs">
          <Button variant="default" onClick={close}>
            {t.cancel}
          </Button>
          <ActionButton
            type="submit"
            working={working}
            {...(submit.color !== undefined && { color: submit.color })}
          >
            {submit.name}
          </ActionButton>
        </Group>
      </Stack>
    </form>
  );
}
