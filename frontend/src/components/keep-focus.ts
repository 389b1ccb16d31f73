/**
 * A `ref` for what may go away while it, or something in it, has the focus: the focus then goes on,
 * and is not lost to the page as a whole, where the keyboard would have to begin anew.
 *
 * @param next where to, given the element, which is still there
 */
export function keepFocus<Kind extends HTMLElement>(
  next: (element: Kind) => Element | null | undefined,
): React.RefCallback<Kind> {
  return (element) => () => {
    if (!element?.contains(document.activeElement)) return;
    const target = next(element);
    if (target instanceof HTMLElement) target.focus();
  };
}
