// All orders of the account, live: only the rows that can be seen are in the page.

import { ask, cancel, change, notify, page, state, useEngine, useReconnect } from "./engine.js";
import { Choice, Distance, Field, Modal, Side, Status, clock, html, num, px, useEffect, useMemo, useRef, useState } from "./parts.js";
import { KINDS, changesOf, distance, faults, fieldsOf, kindName } from "./terms.js";

const STATUSES = ["resting", "pending", "routing", "building", "submitted", "confirmed", "failed", "cancelled", "expired"];
const MOST = 5_000;
const narrow = matchMedia("(max-width: 700px)");

/** Read and write the filters in the address. */
const filtersOf = (query) => Object.fromEntries(["status", "type", "pair"].map((name) => [name, query.get(name) ?? ""]));
const addressOf = (filters) => {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  return `#/orders${query.size ? `?${query}` : ""}`;
};

const fits = (filters) => (order) =>
  (!filters.status || order.status === filters.status) && (!filters.type || order.type === filters.type) && (!filters.pair || order.pair === filters.pair);

/** Load pages until one is full enough or the last; return where to go on. */
function useList(filters) {
  const [at, set] = useState({ cursor: null, more: true, busy: false, error: null });
  const turn = useRef(0), pages = useRef(0), goal = useRef(1), busy = useRef(false), cursor = useRef(null);
  const load = async (most = 1) => {
    if (busy.current) return;
    busy.current = true;
    goal.current = pages.current + most;
    const mine = turn.current;
    set((was) => ({ ...was, busy: true, error: null }));
    try {
      for (let n = 0, seen = 0; n < most && state.orders.size < MOST + 100; n += 1) {
        const told = await page(filters, cursor.current);
        if (mine !== turn.current) return;
        pages.current += 1;
        cursor.current = told.nextCursor;
        seen += told.orders.length;
        if (!told.nextCursor) break;
        if (n + 1 === most && seen < 20 && n < 20) most += 1; // a filter may leave a page empty
      }
      set({ cursor: cursor.current, more: cursor.current !== null, busy: false, error: null });
    } catch (error) {
      if (mine === turn.current) set((was) => ({ ...was, busy: false, error }));
    } finally {
      if (mine === turn.current) busy.current = false;
    }
  };
  const begin = (count) => {
    turn.current += 1;
    Object.assign(pages, { current: 0 });
    Object.assign(cursor, { current: null });
    busy.current = false;
    return load(count);
  };
  const on = JSON.stringify(filters);
  useEffect(() => {
    if (state.tokens) begin(1);
  }, [on, Boolean(state.tokens)]);
  const again = () => begin(goal.current);
  useReconnect(again, [on]);
  return { ...at, load, again };
}

export function Orders({ query }) {
  const { sorted, tokens, prices } = useEngine();
  const filters = filtersOf(query);
  const list = useList(filters);
  const [modal, open] = useState(null);
  const rows = sorted.filter(fits(filters));
  const go = (changes) => {
    location.hash = addressOf({ ...filters, ...changes });
  };
  const close = () => open(null);
  const resting = rows.filter((order) => order.status === "resting").length;
  return html`<section aria-labelledby="orders-title" class="orders">
    <div class="toolbar">
      <h1 id="orders-title">Orders</h1>
      <${Choice} id="f-status" label="Status" value=${filters.status} onValue=${(status) => go({ status })} options=${[["", "all"], ...STATUSES.map((s) => [s, s])]} />
      <${Choice} id="f-type" label="Kind" value=${filters.type} onValue=${(type) => go({ type })} options=${[["", "all"], ...Object.keys(KINDS).map((t) => [t, kindName(t)])]} />
      <${Choice} id="f-pair" label="Pair" value=${filters.pair} onValue=${(pair) => go({ pair })} options=${[["", "all"], ...(tokens?.pairs ?? []).map((p) => [p.join("/"), p.join("/")])]} />
      <span class="grow"></span>
      <button type="button" onClick=${() => save(filters, "csv")}>CSV</button>
      <button type="button" onClick=${() => save(filters, "json")}>JSON</button>
      <button type="button" class="danger" onClick=${() => open({ what: "all" })}>Cancel all resting</button>
    </div>
    <p class="quiet" role="status">${num(rows.length)} ${rows.length === 1 ? "order" : "orders"} loaded, ${num(resting)} resting${list.busy ? ", loading …" : ""}</p>
    ${list.error && html`<p class="error" role="alert">${list.error.message} <button type="button" class="small" onClick=${list.again}>Again</button></p>`}
    <${Table} rows=${rows} prices=${prices} end=${() => list.more && list.load()} open=${open} />
    ${list.more && html`<p class="pager"><button type="button" disabled=${list.busy} onClick=${() => list.load()}>Older orders</button>
      <button type="button" disabled=${list.busy} onClick=${() => list.load(MOST / 100)}>Load all</button></p>`}
    ${modal?.what === "change" && html`<${Change} order=${modal.order} close=${close} />`}
    ${modal?.what === "cancel" && html`<${Cancel} order=${modal.order} close=${close} />`}
    ${modal?.what === "all" && html`<${CancelAll} pair=${filters.pair} close=${close} again=${list.again} />`}
  </section>`;
}

const COLUMNS = ["Placed", "Order", "Kind", "Amount", "Waits for", "Away", "Status", "Got", ""];

/** What is in sight of the rows, each as high as every other. */
function Table({ rows, prices, end, open }) {
  const box = useRef(null);
  const [top, scroll] = useState(0);
  const [high, grow] = useState(600);
  const [small, shrink] = useState(narrow.matches);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => grow(entry.contentRect.height));
    watch.observe(box.current);
    const fold = () => shrink(narrow.matches);
    narrow.addEventListener("change", fold);
    return () => (watch.disconnect(), narrow.removeEventListener("change", fold));
  }, []);
  const each = small ? 134 : 42;
  const first = Math.max(0, Math.floor(top / each) - 5);
  const shown = rows.slice(first, first + Math.ceil(high / each) + 10);
  const moved = ({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
    scroll(scrollTop);
    if (scrollTop + clientHeight > scrollHeight - 10 * each) end();
  };
  return html`<div class=${`table ${small ? "small" : ""}`} role="table" aria-label="Orders" aria-rowcount=${rows.length + 1} aria-colcount=${COLUMNS.length}>
    <div role="rowgroup"><div class="row head" role="row" aria-rowindex="1">${COLUMNS.map((name) => html`<span key=${name} role="columnheader">${name || html`<span class="hidden">What to do</span>`}</span>`)}</div></div>
    <div class="scroll" role="rowgroup" tabindex="0" aria-label="Rows" ref=${box} onScroll=${moved}>
      <div role="presentation" style=${{ height: `${rows.length * each}px` }}>
        <div role="presentation" style=${{ transform: `translateY(${first * each}px)` }}>
          ${shown.map((order, i) => html`<${Row} key=${order.orderId} order=${order} index=${first + i + 2} away=${distance(order, Number(prices.get(order.pair)?.price))} open=${open} />`)}
        </div>
      </div>
      ${rows.length === 0 && html`<div role="row" class="none"><span role="cell">No orders here yet. <a href="#/">Place one.</a></span></div>`}
    </div>
  </div>`;
}

const waitsFor = ({ status, trigger, type, filledAmount, tokenIn }) =>
  status !== "resting" || !trigger ? ""
    : type === "twap" ? `${num(filledAmount ?? "0", 4)} ${tokenIn} filled`
    : trigger.launch ? `launch of ${trigger.launch}`
    : trigger.levels.map((level) => `${level.direction === "above" ? "≥" : "≤"} ${px(level.price)}`).join(" or ");

/** A row is made anew only when it says something else. */
function Row(row) {
  return useMemo(() => rowOf(row), [row.order, row.index, row.away?.toFixed(2)]);
}

function rowOf({ order, index, away, open }) {
  const resting = order.status === "resting", open_ = resting || order.status === "pending";
  const what = `${order.side} ${order.amount} ${order.tokenIn}`;
  return html`<div class="row" role="row" aria-rowindex=${index} data-order=${order.orderId}>
    <span role="cell" class="quiet">${clock(order.createdAt, { day: true })}</span>
    <span role="cell"><a href=${`#/orders/${encodeURIComponent(order.orderId)}`}><${Side} of=${order.side} /> ${order.pair}</a></span>
    <span role="cell">${kindName(order.type)}</span>
    <span role="cell" class="n">${num(order.amount, 6)} <span class="unit">${order.tokenIn}</span></span>
    <span role="cell" class="n">${waitsFor(order)}</span>
    <span role="cell" class="n">${resting && html`<${Distance} away=${away} />`}</span>
    <span role="cell"><${Status} of=${order.status} />${order.error && html` <code class="why">${order.error.code}</code>`}</span>
    <span role="cell" class="n">${order.amountOut ? html`${num(order.amountOut, 4)} <span class="unit">${order.tokenOut}</span>` : ""}</span>
    <span role="cell" class="acts">
      ${resting && html`<button type="button" class="small" aria-label=${`Change: ${what}`} onClick=${() => open({ what: "change", order })}>Change</button>`}
      ${open_ && html`<button type="button" class="small" aria-label=${`Cancel: ${what}`} onClick=${() => open({ what: "cancel", order })}>Cancel</button>`}
    </span>
  </div>`;
}

/** Do something, and say what went wrong in the box that asked for it. */
function useAct(act, close) {
  const [at, set] = useState({ busy: false, error: null });
  const run = async (event) => {
    event?.preventDefault();
    set({ busy: true, error: null });
    try {
      await act();
      close();
    } catch (error) {
      set({ busy: false, error });
    }
  };
  return [run, at];
}

const Wrong = ({ error }) => error && html`<p class="error" role="alert">${error.message} ${(error.errors ?? []).map((each) => html`<br /><code>${each.pointer}</code> ${each.detail}`)}</p>`;

export function Cancel({ order, close }) {
  const [run, { busy, error }] = useAct(() => cancel(order.orderId), close);
  return html`<${Modal} title="Cancel this order?" onClose=${close}>
    <p>${order.summary}</p>
    <${Wrong} error=${error} />
    <p class="buttons"><button type="button" onClick=${close}>Keep it</button> <button type="button" class="danger" disabled=${busy} onClick=${run}>Cancel the order</button></p>
  <//>`;
}

function CancelAll({ pair, close, again }) {
  const [run, { busy, error }] = useAct(async () => {
    await ask("/api/orders/cancel-all", { method: "POST", body: pair ? { pair } : {} });
    notify(`All resting orders${pair ? ` of ${pair}` : ""} are cancelled.`);
    again();
  }, close);
  return html`<${Modal} title="Cancel all that rest?" onClose=${close}>
    <p>Every resting order ${pair ? html`of <b>${pair}</b>` : "of the account, of all pairs,"} ends at once, also those that are not loaded here.</p>
    <${Wrong} error=${error} />
    <p class="buttons"><button type="button" onClick=${close}>Keep them</button> <button type="button" class="danger" disabled=${busy} onClick=${run}>Cancel all</button></p>
  <//>`;
}

export function Change({ order, close }) {
  const [f, set] = useState(fieldsOf(order));
  const wrong = faults(f);
  const [run, { busy, error }] = useAct(async () => {
    const body = changesOf(f, order);
    if (Object.keys(wrong).length) throw new Error("See the fields.");
    if (Object.keys(body).length) await change(order, body);
  }, close);
  return html`<${Modal} title="Change this order" onClose=${close}>
    <form onSubmit=${run} noValidate>
      <p class="quiet">${order.summary}</p>
      <div class="two">${(KINDS[order.type]?.fields ?? []).filter((field) => !field.fixed).map(({ name, label, hint, kind }) => html`<${Field} key=${name} id=${`c-${name}`} label=${label} value=${f[name]} error=${wrong[name]}
        hint=${typeof hint === "function" ? hint(f) : hint} type=${kind === "time" ? "datetime-local" : "text"} step=${kind === "time" ? 1 : undefined} onValue=${(value) => set({ ...f, [name]: value })} />`)}</div>
      <${Wrong} error=${error} />
      <p class="buttons"><button type="button" onClick=${close}>Leave it</button> <button type="submit" class="send" disabled=${busy}>Change</button></p>
    </form>
  <//>`;
}

// Export

const CSV = ["orderId", "clientOrderId", "createdAt", "updatedAt", "settlement", "type", "pair", "side", "tokenIn", "tokenOut", "amount", "status", "seq",
  "limitPrice", "stopPrice", "trailingBps", "slippageBps", "amountOut", "minAmountOut", "executedPrice", "txHash", "expiresAt"];

/** Return a cell that no spreadsheet takes for a formula. */
const cell = (value) => {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** Save all orders of these filters, also those that are not loaded. */
async function save(filters, kind) {
  const all = [];
  try {
    for (let cursor = null, last = false; !last && all.length < MOST; ) {
      const told = await page(filters, cursor);
      all.push(...told.orders);
      cursor = told.nextCursor;
      last = cursor === null;
    }
  } catch (error) {
    notify(`Not saved: ${error.message}`, "bad");
    return;
  }
  const text = kind === "json" ? JSON.stringify(all, null, 2) : [CSV.join(","), ...all.map((order) => CSV.map((name) => cell(order[name])).join(","))].join("\r\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: kind === "json" ? "application/json" : "text/csv" }));
  link.download = `orders.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
