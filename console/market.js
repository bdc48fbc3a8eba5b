// The market: the price by which triggers go, what waits where, and what size costs at each venue.

import { ask, notify, state, useEngine } from "./engine.js";
import { Choice, Distance, Field, Side, bps, html, num, px, useEffect, useRef, useState } from "./parts.js";
import { distance, isNumber, kindName, offered } from "./terms.js";

const VENUES = ["raydium", "meteora"];
const PARTS = [0.01, 0.03, 0.1, 0.3, 0.6, 1, 2];
const DEPTH_MS = 20_000;

/** Return the chart's code, once it is here. */
function useChart() {
  const [chart, set] = useState(null);
  useEffect(() => {
    import("./chart.js").then((loaded) => set(() => loaded.Chart), () => notify("The chart's code can't be loaded; reload the page.", "bad"));
  }, []);
  return chart;
}

export function Market({ query }) {
  const { tokens, prices, samples, sorted, settlement } = useEngine();
  const pair = query.get("pair") ?? "SOL/USDC";
  const Chart = useChart();
  const told = prices.get(pair), price = Number(told?.price);
  const [base, quote] = pair.split("/");
  const waiting = sorted.filter((order) => order.status === "resting" && order.pair === pair);
  const levels = useRef([]);
  levels.current = waiting.slice(0, 200).flatMap((order) => (order.trigger?.levels ?? []).map((level) => ({ price: Number(level.price), side: order.side })));
  const [times, values] = samples.get(pair) ?? [[], []];
  const make = (colour) => ({
    series: [{}, { stroke: colour("accent"), width: 2, fill: colour("wash") }],
    axes: [{}, { size: 74, values: (_, ticks) => ticks.map((v) => px(v)) }],
    scales: { y: { range: (_, low, high) => {
      const mid = (low + high) / 2 || 1, near = levels.current.map((l) => l.price).filter((p) => Math.abs(p / mid - 1) < 0.1);
      const from = Math.min(low, ...near), to = Math.max(high, ...near), room = (to - from || mid * 0.001) * 0.08;
      return [from - room, to + room];
    } } },
    hooks: { draw: [(plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.setLineDash([6, 4]);
      for (const level of levels.current) {
        const y = plot.valToPos(level.price, "y", true);
        if (y < bbox.top || y > bbox.top + bbox.height) continue;
        ctx.strokeStyle = colour(level.side);
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
      }
      ctx.restore();
    }] },
  });
  const change = values.length > 1 ? (values.at(-1) / values[0] - 1) * 100 : 0;
  const moved = Math.abs(change).toFixed(2);
  return html`<div class="market">
    <section aria-labelledby="market-title">
      <div class="toolbar">
        <h1 id="market-title">${pair}</h1>
        <p class="big">${px(told?.price)} <span class="unit">${quote}</span></p>
        <p class=${moved === "0.00" ? "quiet" : change < 0 ? "sell" : "buy"}>${moved === "0.00" ? "" : change < 0 ? "−" : "+"}${moved} % <span class="quiet">since this page looks</span></p>
        ${told?.stale && html`<b class="warn">stale: nothing triggers</b>`}
        <span class="grow"></span>
        <${Choice} id="m-pair" label="Pair" value=${pair} onValue=${(to) => { location.hash = `#/market?pair=${encodeURIComponent(to)}`; }}
          options=${(tokens?.pairs ?? [[base, quote]]).map((p) => [p.join("/"), p.join("/")])} />
      </div>
      ${Chart && html`<${Chart} key=${pair} data=${[[...times], [...values]]} make=${make} on=${[pair, state.theme]}
        label=${`Reference price of ${pair} over the last minutes, ${waiting.length} resting orders as dashed lines`} />`}
      <div class="venues">${(told?.venues ?? []).map((venue) => html`<p key=${venue.venue}><i class=${`venue ${venue.venue}`} aria-hidden="true"></i>${venue.venue} <b>${px(venue.price)}</b> <span class="quiet">${num(venue.depth, 0)} ${quote} within 1 %</span></p>`)}</div>
      ${settlement === "simulated" && html`<${Move} pair=${pair} price=${told?.price} />${offered().includes("sniper") && html`<${Launch} />`}`}
    </section>
    <section aria-labelledby="waiting-title">
      <h2 id="waiting-title">Waiting here</h2>
      ${waiting.length === 0 ? html`<p class="quiet">Nothing of ${pair} rests.</p>` : html`<ul class="waiting">
        ${waiting.slice(0, 50).map((order) => html`<li key=${order.orderId}><a href=${`#/orders/${encodeURIComponent(order.orderId)}`}><${Side} of=${order.side} /> ${num(order.amount, 6)} ${order.tokenIn}</a>
          <span class="quiet">${kindName(order.type)} ${(order.trigger?.levels ?? []).map((l) => px(l.price)).join(" / ")}</span> <${Distance} away=${distance(order, price)} /></li>`)}
      </ul>`}
    </section>
    <${Depth} pair=${pair} told=${told} Chart=${Chart} />
  </div>`;
}

/** Move the simulated price, for everybody. */
function Move({ pair, price }) {
  const [to, set] = useState("");
  const [error, tell] = useState(null);
  const move = async (event) => {
    event.preventDefault();
    try {
      await ask("/api/simulation/prices", { method: "POST", body: { pair, price: to.trim() } });
      tell(null);
      notify(`${pair} is moved to ${to}.`);
    } catch (problem) {
      tell(problem.status === 404 ? "Prices can't be moved here: SimulatedFaults is off." : problem.errors?.[0]?.detail ?? problem.message);
    }
  };
  return html`<form class="inline" onSubmit=${move}>
    <${Field} id="move" label="Move the simulated price to" inputmode="decimal" value=${to} placeholder=${px(price)} error=${error} onValue=${set} />
    <button type="submit" disabled=${!isNumber(to)}>Move</button>
  </form>`;
}

/** Open a new token's pools, and send the signal that snipers wait for. */
function Launch() {
  const [f, set] = useState({ symbol: "", price: "0.01", liquidityUsd: "100000" });
  const [error, tell] = useState(null);
  const launch = async (event) => {
    event.preventDefault();
    try {
      await ask("/api/simulation/launches", { method: "POST", body: { ...f, symbol: f.symbol.trim() } });
      tell(null);
      notify(`${f.symbol} is launched.`);
    } catch (problem) {
      tell(problem.status === 404 ? "Nothing is launched here: SimulatedFaults is off." : problem.errors?.[0]?.detail ?? problem.message);
    }
  };
  const field = (name, label) => html`<${Field} id=${`l-${name}`} label=${label} value=${f[name]} error=${name === "symbol" ? error : null} onValue=${(value) => set({ ...f, [name]: value })} />`;
  return html`<form class="inline" onSubmit=${launch}>${field("symbol", "Launch a simulated token")}${field("price", "at, in USDC")}${field("liquidityUsd", "with liquidity, in USD")}
    <button type="submit" disabled=${!f.symbol.trim() || !isNumber(f.price) || !isNumber(f.liquidityUsd)}>Launch</button></form>`;
}

/** What an amount costs at each venue, by asking both for it. */
function Depth({ pair, told, Chart }) {
  const [side, turn] = useState("sell");
  const [rows, set] = useState([]);
  const [base, quote] = pair.split("/");
  const known = Boolean(told?.price);
  useEffect(() => {
    if (!known) return;
    const stop = new AbortController();
    let timer = 0;
    const look = async () => {
      const now = state.prices.get(pair), depth = Math.max(...now.venues.map((v) => Number(v.depth)), 0);
      const amounts = PARTS.map((part) => Number((side === "sell" ? (depth * part) / now.price : depth * part).toPrecision(2))).filter((a) => a > 0);
      const [tokenIn, tokenOut] = side === "sell" ? [base, quote] : [quote, base];
      if (!document.hidden) {
        try {
          const offers = await Promise.all(amounts.map((amount) => ask(`/api/quotes?${new URLSearchParams({ tokenIn, tokenOut, amount: amount >= 1 ? String(amount) : amount.toFixed(6).replace(/\.?0+$/, "") })}`, { signal: stop.signal })));
          set(offers.map((offer, i) => ({ amount: amounts[i], of: Object.fromEntries(offer.quotes.map((q) => [q.venue, q])) })));
        } catch { /* the next look tells */ }
      }
      if (!stop.signal.aborted) timer = setTimeout(look, DEPTH_MS);
    };
    look();
    return () => (stop.abort(), clearTimeout(timer));
  }, [pair, side, known]);
  const impact = (row, venue) => (row.of[venue] && !row.of[venue].error ? row.of[venue].priceImpactBps / 100 : null);
  const data = [rows.map((row) => row.amount), ...VENUES.map((venue) => rows.map((row) => impact(row, venue)))];
  const make = (colour) => ({
    scales: { x: { time: false, distr: 3 } },
    series: [{}, ...VENUES.map((venue) => ({ label: venue, stroke: colour(venue), width: 2, points: { show: true, size: 6 } }))],
    axes: [{ values: (_, ticks) => ticks.map((v) => (v === null ? "" : num(String(v)))) }, { size: 60, values: (_, ticks) => ticks.map((v) => `${v} %`) }],
  });
  const unit = side === "sell" ? base : quote;
  return html`<section aria-labelledby="depth-title" class="depth">
    <div class="toolbar"><h2 id="depth-title">Depth: price impact by amount</h2><span class="grow"></span>
      <${Choice} id="d-side" label="Side" value=${side} onValue=${turn} options=${[["sell", `sell ${base}`], ["buy", `buy ${base}`]]} /></div>
    ${rows.length === 0 ? html`<p class="quiet" role="status">Asking both venues …</p>` : html`
      ${Chart && html`<${Chart} data=${data} make=${make} on=${[pair, side, state.theme]} height=${220} label="Price impact by amount, a line a venue; the table has the same figures" />`}
      <p class="legend">${VENUES.map((venue) => html`<span key=${venue}><i class=${`venue ${venue}`} aria-hidden="true"></i>${venue} </span>`)}</p>
      <div class="wide" tabindex="0" role="group" aria-label="Depth"><table>
        <thead><tr><th scope="col">${unit}</th>${VENUES.map((venue) => html`<th scope="col" key=${venue}>${venue}</th>`)}</tr></thead>
        <tbody>${rows.map((row) => html`<tr key=${row.amount}><th scope="row">${num(String(row.amount))}</th>${VENUES.map((venue) => html`<td key=${venue}>${impact(row, venue) === null ? html`<code>${row.of[venue]?.error ?? "–"}</code>` : bps(row.of[venue].priceImpactBps)}</td>`)}</tr>`)}</tbody>
      </table></div>`}
  </section>`;
}
