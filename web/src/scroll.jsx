// GraphiQL's dialogs and menus keep the page behind them from scrolling by a
// <style> that they write into it, which the policy of this page forbids. This
// page is as high as its window and never scrolls, so there is nothing to keep:
// what stands here takes the place of react-remove-scroll (see build.mjs).
import { forwardRef } from "react";

export const RemoveScroll = forwardRef(function RemoveScroll(props, ref) {
  const { as: Inner = "div", enabled, allowPinchZoom, shards, children, ...rest } = props;
  return (
    <Inner ref={ref} {...rest}>
      {children}
    </Inner>
  );
});
RemoveScroll.classNames = { fullWidth: "", zeroRight: "" };
