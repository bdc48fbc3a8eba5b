// uPlot in the page's colours; loaded when a chart is first looked at.

import uPlot from "uplot";
import { html, useEffect, useRef } from "./parts.js";

const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--c-${name}`).trim() || "gray";

/** Draw `data`; `make` returns uPlot's options and is asked again when `on` changes. */
export function Chart({ data, make, on = [], label, height = 260 }) {
  const box = useRef(null), plot = useRef(null), last = useRef(data);
  last.current = data;
  useEffect(() => {
    const options = make(colour);
    const axis = (more) => ({ stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 }, ...more });
    plot.current = new uPlot({ width: box.current.clientWidth || 300, height, legend: { show: false }, cursor: { y: false }, ...options, axes: options.axes.map(axis) }, last.current, box.current);
    const watch = new ResizeObserver(([entry]) => plot.current?.setSize({ width: Math.floor(entry.contentRect.width), height }));
    watch.observe(box.current);
    return () => (watch.disconnect(), plot.current.destroy(), (plot.current = null));
  }, on);
  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);
  return html`<div class="chart" role="img" aria-label=${label} ref=${box}></div>`;
}
