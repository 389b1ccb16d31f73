import { Box, Group, Paper, Text, ThemeIcon, Title } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import { type JSX, type ReactNode, useId } from 'react';

/** A part of the page that is about one thing. */
export function Card({
  icon: CardIcon,
  title,
  hint,
  color,
  children,
}: {
  readonly icon: Icon;
  readonly title: string;
  readonly hint?: string;
  readonly color?: string;
  readonly children: ReactNode;
}): JSX.Element {
  const id = useId();
  return (
    <Paper
      component="section"
      className="card"
      radius="lg"
      p={{ base: 'md', sm: 'lg' }}
      aria-labelledby={id}
    >
      <Group wrap="nowrap" align={hint === undefined ? 'center' : 'flex-start'} gap="sm" mb="md">
        <ThemeIcon variant="light" size="lg" radius="md" {...(color !== undefined && { color })}>
          <CardIcon size={20} aria-hidden />
        </ThemeIcon>
        <Box>
          <Title order={2} fz={18} id={id} tabIndex={-1}>
            {title}
          </Title>
          {hint !== undefined && (
            <Text c="dimmed" size="sm" mt={2}>
              {hint}
            </Text>
          )}
        </Box>
      </Group>
      {children}
    </Paper>
  );
}
