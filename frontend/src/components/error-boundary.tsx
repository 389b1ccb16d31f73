import { Component, type ReactNode } from 'react';

/**
 * Shows something in the place of a part of the page that could not be drawn: its file is not there
 * any more since the service was replaced, say, or the network has failed.
 */
export class ErrorBoundary extends Component<
  { readonly instead: ReactNode; readonly children: ReactNode },
  { readonly failed: boolean }
> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? this.props.instead : this.props.children;
  }
}
