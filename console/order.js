// One order: what it is, how long each step took, each try, and what came out against what was quoted.

import { FINAL, key, read, state, useEngine, useReconnect } from "./engine.js";
import { Copy, Distance, Side, Split, Status, bps, clock, html, num, px, span, useEffect, useState } from "./parts.js";
import { Cancel, Change } from "./orders.js";
import { distance, kindName } from "./terms.js";

/** What an order does while it is in a state. */
const STEPS = { resting: "Wait", pending: "Queue", routing: "Quotes", building: "Build", submitted: "Landing" };
const REASONS = {
  landed: "landed on the chain", reverted: "reverted on the chain", expired: "expired unlanded", noRoute: "nothing to sign", signed: "signed and stored", sent: "sent, not known yet",
};

export function Order({ id }) {
  const { orders, prices, network, settlement } = useEngine();
  const [error, tell] = useState(null);
  const [modal, open] = useState(null);
  const load = () => read(id).then(() => tell(null), tell);
  useEffect(() => {
    if (state.tokens) load();
  }, [id, Boolean(state.tokens)]);
  useReconnect(load, [id]);
  const order = orders.get(id);
  if (!order) return html`<section><h1>Order</h1><p role="status" class=${error ? "error" : "quiet"}>${error ? `${error.message}` : "Reading …"}</p></section>`;
  const resting = order.status === "resting", open_ = resting || order.status === "pending";
  const away = distance(order, Number(prices.get(order.pair)?.price));
  return html`<div class="order" data-order=${order.orderId}>
    <section aria-labelledby="order-title">
      <p class="quiet"><a href="#/orders">Orders</a> / ${kindName(order.type)}</p>
      <h1 id="order-title"><${Side} of=${order.side} /> ${num(order.amount, 9)} ${order.tokenIn} <span class="quiet">for</span> ${order.tokenOut}</h1>
      <p class="summary">${order.summary}</p>
      <p aria-live="polite"><${Status} of=${order.status} /> ${resting && html`<${Distance} away=${away} />`} <span class="quiet">seq ${order.seq}, ${order.attempts} ${order.attempts === 1 ? "attempt" : "attempts"}</span></p>
      ${order.error && html`<p class="error"><code>${order.error.code}</code> ${order.error.detail}</p>`}
      <p class="buttons">
        ${resting && html`<button type="button" onClick=${() => open("change")}>Change</button>`}
        ${open_ && html`<button type="button" class="danger" onClick=${() => open("cancel")}>Cancel</button>`}
        <${Copy} text=${order.orderId} label="Copy id" /> <${Copy} text=${curl(order)} label="Copy curl" />
        ${order.txHash && html`<${Copy} text=${order.txHash} label="Copy signature" />`}
        ${order.txHash && order.settlement === "live" && network === "solana" && html`<a class="button" rel="noreferrer noopener" target="_blank" href=${`https://explorer.solana.com/tx/${encodeURIComponent(order.txHash)}`}>Explorer</a>`}
      </p>
      <dl class="facts">
        <dt>Id</dt><dd><code>${order.orderId}</code></dd>
        ${order.clientOrderId && html`<dt>Your id</dt><dd><code>${order.clientOrderId}</code></dd>`}
        <dt>Placed</dt><dd>${clock(order.createdAt, { ms: true, day: true })}</dd>
        ${order.expiresAt && html`<dt>Ends</dt><dd>${clock(order.expiresAt, { day: true })}</dd>`}
        ${order.trigger?.watermark && html`<dt>Best so far</dt><dd>${px(order.trigger.watermark)}</dd>`}
        ${order.trigger?.triggeredAt && html`<dt>Came due</dt><dd>${clock(order.trigger.triggeredAt, { ms: true, day: true })} at ${px(order.trigger.triggeredPrice)}</dd>`}
        ${order.txHash && html`<dt>Signature</dt><dd><code>${order.txHash}</code></dd>`}
        ${order.trigger?.dueAt && html`<dt>Next part</dt><dd>${clock(order.trigger.dueAt, { day: true })}</dd>`}
        ${order.trigger?.launch && html`<dt>Launch of</dt><dd><code>${order.trigger.launch}</code>${order.trigger.launchedAt && html`, at ${clock(order.trigger.launchedAt, { ms: true, day: true })}`}</dd>`}
        ${order.parentId && html`<dt>A part of</dt><dd><a href=${`#/orders/${encodeURIComponent(order.parentId)}`}>${order.parentId}</a></dd>`}
        ${order.stopping && html`<dt>Stopping</dt><dd>${order.stopping}, once what is under way has ended</dd>`}
        <dt>Settlement</dt><dd>${order.settlement}</dd>
      </dl>
    </section>
    <${Parts} order=${order} />
    <${Life} order=${order} />
    <${Fill} order=${order} />
    <${Tries} order=${order} />
    <details><summary>The whole document</summary><pre tabindex="0">${JSON.stringify(order, null, 2)}</pre></details>
    ${modal === "cancel" && html`<${Cancel} order=${order} close=${() => open(null)} />`}
    ${modal === "change" && html`<${Change} order=${order} close=${() => open(null)} />`}
  </div>`;
}

const curl = (order) => `curl -s '${new URL(`api/orders/${encodeURIComponent(order.orderId)}`, location.href.split("#")[0])}'${key() ? ` -H "X-Api-Key: $ENGINE_KEY"` : ""}`;

/** The orders of a twap's parts, and how much of it is filled. */
function Parts({ order }) {
  if (!order.children) return null;
  const filled = Number(order.filledAmount ?? 0) / Number(order.amount);
  return html`<section aria-labelledby="parts-title">
    <h2 id="parts-title">Parts</h2>
    <p><b>${num(order.filledAmount ?? "0")} of ${num(order.amount)} ${order.tokenIn}</b> filled${order.amountOut && html`, for ${num(order.amountOut)} ${order.tokenOut}, at ${px(order.averagePrice)} on average`}</p>
    <p class="track" role="img" aria-label=${`${Math.round(filled * 100)} % filled`}><i class="submitted" style=${{ left: 0, width: `${filled * 100}%` }}></i></p>
    <div class="wide" tabindex="0" role="group" aria-label="Parts"><table>
      <thead><tr><th scope="col">part</th><th scope="col">order</th><th scope="col">${order.tokenIn}</th><th scope="col">status</th></tr></thead>
      <tbody>${order.children.map((child) => html`<tr key=${child.orderId}><td>${child.part} of ${order.parts}</td><td><a href=${`#/orders/${encodeURIComponent(child.orderId)}`}>${child.orderId}</a></td><td>${num(child.amount)}</td><td><${Status} of=${child.status} /></td></tr>`)}</tbody>
    </table></div>
  </section>`;
}

/** The history as a waterfall: each step from when it began, as long as it took. Waiting for a price is
 * written, not drawn: it may take weeks. */
function Life({ order }) {
  const steps = order.history.map((step, i) => {
    const next = order.history[i + 1], began = new Date(step.at).getTime();
    return { ...step, began, took: next ? new Date(next.at).getTime() - began : null };
  });
  const drawn = steps.filter((step) => step.status !== "resting" && step.took !== null);
  const whole = drawn.reduce((sum, step) => sum + step.took, 0) || 1;
  let from = 0;
  return html`<section aria-labelledby="life-title">
    <h2 id="life-title">Life</h2>
    <ol class="life">
      ${steps.map((step) => {
        const end = FINAL.has(step.status), start = from, draw = step.status !== "resting" && step.took !== null;
        if (draw) from += step.took;
        return html`<li key=${step.seq} data-seq=${step.seq}>
          <span class="quiet">${step.seq}</span> <time>${clock(step.at, { ms: true })}</time> <${Status} of=${step.status} />
          <span class="track" aria-hidden="true">${draw && html`<i class=${step.status} style=${{ left: `${(start / whole) * 100}%`, width: `${Math.max((step.took / whole) * 100, 0.6)}%` }}></i>`}</span>
          <span class="took">${end ? html`<b>${span(drawn.reduce((sum, each) => sum + each.took, 0))}</b> in all` : step.took === null ? "…" : html`${STEPS[step.status] ?? step.status} <b>${span(step.took)}</b>`}</span>
        </li>`;
      })}
    </ol>
  </section>`;
}

/** What was quoted, what was the least, what came out. */
function Fill({ order }) {
  if (!order.quotes.length && !order.route) return null;
  const quoted = order.route ? order.route.legs.reduce((sum, leg) => sum + Number(leg.amountOut), 0) : null;
  const off = order.amountOut && quoted ? ((Number(order.amountOut) - quoted) / quoted) * 10_000 : null;
  return html`<section aria-labelledby="fill-title">
    <h2 id="fill-title">Quotes and fill</h2>
    ${order.route && html`<div class="route"><${Split} legs=${order.route.legs} /><p class="quiet">${order.route.reason}</p></div>`}
    <div class="wide" tabindex="0" role="group" aria-label="Quotes and fill"><table>
      <thead><tr><th scope="col"></th><th scope="col">${order.tokenOut}</th><th scope="col">at least</th><th scope="col">price</th><th scope="col">impact</th><th scope="col">fee</th></tr></thead>
      <tbody>
        ${order.quotes.map((quote) => html`<tr key=${quote.venue}><th scope="row">${quote.venue}</th>${quote.error
          ? html`<td colspan="5" class="warn"><code>${quote.error}</code></td>`
          : html`<td>${num(quote.amountOut)}</td><td>${num(quote.minAmountOut)}</td><td>${px(quote.price)}</td><td>${bps(quote.priceImpactBps)}</td><td>${num(quote.fee, 6)} ${quote.feeToken}</td>`}</tr>`)}
        ${quoted !== null && html`<tr><th scope="row">the route</th><td>${num(quoted.toFixed(9))}</td><td>${num(order.minAmountOut)}</td><td></td><td></td><td></td></tr>`}
        ${order.amountOut && html`<tr class="got"><th scope="row">filled</th><td>${num(order.amountOut)}</td><td></td><td>${px(order.executedPrice)}</td><td colspan="2">${off === null ? "" : `${off >= 0 ? "+" : "−"}${Math.abs(off).toFixed(2)} bps of the quote`}</td></tr>`}
      </tbody>
    </table></div>
  </section>`;
}

function Tries({ order }) {
  if (!order.tries.length) return null;
  return html`<section aria-labelledby="tries-title">
    <h2 id="tries-title">Tries</h2>
    <div class="wide" tabindex="0" role="group" aria-label="Tries"><table class="tries texts">
      <thead><tr><th scope="col">attempt</th><th scope="col">at</th><th scope="col">came to</th><th scope="col">reason</th><th scope="col">price then</th><th scope="col">quoted</th><th scope="col">at least</th><th scope="col">signature</th></tr></thead>
      <tbody>${order.tries.map((tried, i) => html`<tr key=${i}>
        <td>${tried.attempt}</td><td>${clock(tried.at, { ms: true, day: true })}</td><td>${REASONS[tried.outcome] ?? tried.outcome}</td><td>${tried.code ? html`<code>${tried.code}</code>` : "–"}</td>
        <td>${px(tried.price)}</td><td>${num(tried.quotedOut)}</td><td>${num(tried.bound)}</td><td><code>${tried.txHash ? `${String(tried.txHash).slice(0, 10)}…` : "–"}</code></td>
      </tr>`)}</tbody>
    </table></div>
  </section>`;
}
