// The ticket: say what to trade, see what both venues offer for it, send it, watch it.

import { FINAL, ask, place, state, useEngine } from "./engine.js";
import { Choice, Field, Side, Spark, Split, Status, bps, clock, html, num, px, useEffect, useRef, useState } from "./parts.js";
import { KINDS, bodyOf, faults, isNumber, offered, percentOf, summaryOf, tokensOf } from "./terms.js";

const QUOTES_MS = 3_000, SETTLE_MS = 250;
const STEPS = ["pending", "routing", "building", "submitted", "confirmed"];
const EMPTY = {
  kind: "market", pair: "SOL/USDC", side: "sell", amount: "1", slippage: "0.5", limitPrice: "", stopPrice: "", trailing: "5",
  activationPrice: "", profitPrice: "", profitSlippage: "", lossPrice: "", lossSlippage: "", expires: "", reject: false,
  parts: "10", intervalSeconds: "60", minPrice: "", maxPrice: "", token: "", maxAgeSeconds: "60", minLiquidityUsd: "",
};
let kept = EMPTY; // as it was left, while the tab is open

export function Ticket() {
  const { tokens, prices, samples, orders } = useEngine();
  const [f, set] = useState(kept);
  const [problem, tell] = useState(null);
  const [sending, send] = useState(false);
  const [placed, show] = useState([]);
  const [looked, look] = useState(false); // whether what is missing is said
  const name = useRef(crypto.randomUUID());
  kept = f;
  const with_ = (changes) => {
    name.current = crypto.randomUUID(); // another order, another key
    tell(null);
    set({ ...f, ...changes });
  };
  const quoted = useQuotes(f);
  const [tokenIn, tokenOut] = tokensOf(f);
  const launch = KINDS[f.kind].launch, price = prices.get(f.pair);
  const missing = faults(f);
  const wrong = { ...(looked ? missing : {}), ...named(problem, f.kind) };
  const said = summaryOf(f);

  const submit = async (event) => {
    event.preventDefault();
    look(true);
    if (sending || Object.keys(missing).length) return;
    send(true);
    tell(null);
    try {
      const order = await place(bodyOf(f), name.current);
      name.current = crypto.randomUUID();
      show((all) => [order.orderId, ...all].slice(0, 12));
      look(false);
    } catch (error) {
      tell(error);
    }
    send(false);
  };

  const pairs = (tokens?.pairs ?? [[...f.pair.split("/")]]).map((pair) => pair.join("/"));
  return html`<div class="ticket">
    <section aria-labelledby="ticket-title">
      <h1 id="ticket-title">New order</h1>
      <form onSubmit=${submit} noValidate>
        ${!launch && html`<fieldset class="sides">
          <legend class="hidden">Side</legend>
          ${["buy", "sell"].map((side) => html`<label key=${side} class=${`${side} ${f.side === side ? "on" : ""}`}>
            <input type="radio" name="side" value=${side} checked=${f.side === side} onChange=${() => with_({ side })} />${side === "buy" ? "Buy" : "Sell"}
          </label>`)}
        </fieldset>`}
        <div class="two">
          ${!launch && html`<${Choice} id="pair" label="Pair" value=${f.pair} onValue=${(pair) => with_({ pair })} options=${pairs.map((p) => [p, p])} />`}
          <${Choice} id="kind" label="Kind" value=${f.kind} options=${offered().map((kind) => [kind, KINDS[kind].name])}
            onValue=${(kind) => with_({ kind, slippage: KINDS[kind].slippageBps === null ? "" : percentOf(KINDS[kind].slippageBps) })} />
        </div>
        <p class="quiet what">${KINDS[f.kind].what}</p>
        <${Field} id="amount" label=${f.side === "sell" && !launch ? `Amount of ${tokenIn} to sell` : `Amount of ${tokenIn} to spend`} inputmode="decimal"
          suffix=${tokenIn} value=${f.amount} error=${wrong.amount} onValue=${(amount) => with_({ amount })} />
        <div class="two">
          ${KINDS[f.kind].fields.map((field) => html`<${Term} key=${field.name} field=${field} f=${f} price=${price} error=${wrong[field.name]}
            onValue=${(value) => with_({ [field.name]: value })} />`)}
        </div>
        ${!["market", "twap"].includes(f.kind) && html`<label class="check"><input type="checkbox" checked=${f.reject} onChange=${() => with_({ reject: !f.reject })} />
          Refuse it if it would trade at once</label>`}
        <p class="summary" id="summary" aria-live="polite">${said ?? "Fill in what is missing to see what will happen."}</p>
        ${problem && html`<p class="error" role="alert"><b>${problem.title || "Not placed"}.</b> ${problem.message} ${problem.code && html`<code>${problem.code}</code>`}</p>`}
        <button class=${`send ${launch ? "buy" : f.side}`} type="submit" disabled=${sending} aria-describedby="summary">
          ${sending ? "Sending …" : f.side === "buy" || launch ? `Buy ${tokenOut}` : `Sell ${tokenIn}`}
        </button>
      </form>
    </section>

    <div class="beside">
      <section aria-labelledby="now-title">
        <div class="pricehead">
          <div>
            <h2 id="now-title">${f.pair}</h2>
            <p class="big">${px(price?.price)} <span class="unit">${f.pair.split("/")[1]}</span> ${price?.stale && html`<b class="warn">stale</b>`}</p>
          </div>
          <${Spark} values=${samples.get(f.pair)?.[1]} />
        </div>
        <${Quotes} quoted=${quoted} f=${f} />
      </section>
      ${placed.length > 0 && html`<section aria-labelledby="placed-title">
        <h2 id="placed-title">Just placed</h2>
        ${placed.map((id) => orders.get(id)).filter(Boolean).map((order) => html`<${Placed} key=${order.orderId} order=${order} />`)}
      </section>`}
      <${Tape} />
    </div>
  </div>`;
}

function Term({ field, f, price: told, error, onValue }) {
  const price = field.name === "minLiquidityUsd" ? null : told;
  const hint = typeof field.hint === "function" ? `${f.pair.split("/")[1]} for one ${f.pair.split("/")[0]}, ${field.hint(f)}` : field.hint;
  const away = field.kind === "price" && isNumber(f[field.name]) && price?.price
    ? ` (${(((Number(f[field.name]) - price.price) / price.price) * 100).toFixed(2)} % from now)` : "";
  return html`<${Field} id=${field.name} label=${field.label} hint=${hint + away} error=${error} value=${f[field.name]} onValue=${onValue}
    type=${field.kind === "time" ? "datetime-local" : "text"} inputmode=${field.kind === "time" || field.kind === "text" ? undefined : "decimal"} step=${field.kind === "time" ? 1 : undefined}
    suffix=${field.kind === "percent" ? "%" : undefined}>
    ${field.kind === "price" && price?.price && html`<button type="button" class="small" onClick=${() => onValue(Number(price.price).toPrecision(6).replace(/\.?0+$/, ""))}
      aria-label=${`${field.label}: use the price now`}>now</button>`}
  <//>`;
}

/** Return what the engine found wrong, by field. */
function named(problem, kind) {
  const fields = [{ name: "amount", pointer: "/amount" }, ...KINDS[kind].fields];
  return Object.fromEntries((problem?.errors ?? []).map(({ pointer, detail }) => [fields.find((each) => each.pointer === pointer)?.name, detail]));
}

/** Ask for quotes as one types, and every few seconds. */
function useQuotes(f) {
  const [quoted, set] = useState({});
  const [tokenIn, tokenOut] = tokensOf(f);
  const slippage = KINDS[f.kind].slippageBps ?? 50;
  const asked = isNumber(f.amount) && state.tokens && !KINDS[f.kind].launch
    ? `/api/quotes?${new URLSearchParams({ tokenIn, tokenOut, amount: f.amount.trim(), slippageBps: f.slippage === "" ? slippage : Math.round(f.slippage * 100) || 0 })}` : null;
  useEffect(() => {
    if (!asked) return set({});
    const stop = new AbortController();
    let timer = 0;
    const again = async () => {
      if (!document.hidden) {
        try {
          set({ asked, offer: await ask(asked, { signal: stop.signal }) });
        } catch (error) {
          if (stop.signal.aborted) return;
          set({ asked, error });
        }
      }
      if (!stop.signal.aborted) timer = setTimeout(again, QUOTES_MS);
    };
    timer = setTimeout(again, SETTLE_MS);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [asked]);
  return quoted.asked === asked ? quoted : { ...quoted, stale: true };
}

function Quotes({ quoted: { offer, error, stale }, f }) {
  const tokenOut = tokensOf(f)[1];
  if (error) return html`<p class="error" role="status">${error.message}</p>`;
  if (KINDS[f.kind].launch) return html`<p class="quiet" role="status">There is no quote before it launches.</p>`;
  if (!offer) return html`<p class="quiet" role="status">Asking both venues …</p>`;
  const best = Math.max(...offer.quotes.map((quote) => Number(quote.amountOut) || 0));
  return html`<div class=${stale ? "stale" : ""}>
    <div class="quotes">
      ${offer.quotes.map((quote) => html`<article key=${quote.venue} class=${`quote ${Number(quote.amountOut) === best ? "best" : ""}`}>
        <h3><i class=${`venue ${quote.venue}`} aria-hidden="true"></i>${quote.venue}${Number(quote.amountOut) === best && html` <small>best</small>`}</h3>
        ${quote.error
          ? html`<p class="warn">No quote: <code>${quote.error}</code></p>`
          : html`<p class="out">${num(quote.amountOut, 6)} <span class="unit">${tokenOut}</span></p>
            <dl><dt>at least</dt><dd>${num(quote.minAmountOut, 6)}</dd><dt>impact</dt><dd>${bps(quote.priceImpactBps)}</dd>
              <dt>fee</dt><dd>${num(quote.fee, 6)} ${quote.feeToken}</dd></dl>`}
      </article>`)}
    </div>
    ${offer.route
      ? html`<div class="route"><${Split} legs=${offer.route.legs} />
          <p><b>${num(offer.amountOut, 6)} ${offer.tokenOut}</b>, at least ${num(offer.minAmountOut, 6)}. <span class="quiet">${offer.route.reason}</span></p></div>`
      : html`<p class="warn">No venue can fill this now.</p>`}
  </div>`;
}

/** The life of an order that was just placed, as far as it has come. */
function Placed({ order }) {
  const reached = new Set(order.history.map((step) => step.status));
  const steps = [...(reached.has("resting") ? ["resting"] : []), ...STEPS.slice(0, 4), FINAL.has(order.status) ? order.status : "confirmed"];
  return html`<article class="placed" aria-live="polite" data-order=${order.orderId}>
    <p><${Status} of=${order.status} /> <a href=${`#/orders/${encodeURIComponent(order.orderId)}`}>${order.summary}</a></p>
    <ol class="steps">${steps.map((step) => html`<li key=${step} class=${reached.has(step) ? (step === order.status ? "at" : "done") : ""}>${step}</li>`)}</ol>
    ${order.amountOut && html`<p>Got <b>${num(order.amountOut, 6)} ${order.tokenOut}</b> at ${px(order.executedPrice)}.</p>`}
    ${order.error && html`<p class="error"><code>${order.error.code}</code> ${order.error.detail}</p>`}
  </article>`;
}

/** Each state that an order took while we looked, newest first. */
function Tape() {
  return html`<section aria-labelledby="tape-title">
    <h2 id="tape-title">Tape</h2>
    ${state.tape.length === 0 ? html`<p class="quiet">What your orders do shows here as it happens.</p>` : html`<ol class="tape" tabindex="0" aria-label="What orders did, newest first">
      ${state.tape.map(({ order, seq, status, at }) => html`<li key=${`${order.orderId}/${seq}`} data-order=${order.orderId} data-seq=${seq}>
        <time>${clock(at, { ms: true })}</time> <${Side} of=${order.side} />
        <a href=${`#/orders/${encodeURIComponent(order.orderId)}`}>${num(order.amount, 4)} ${order.tokenIn}</a> <${Status} of=${status} />
      </li>`)}
    </ol>`}
  </section>`;
}
