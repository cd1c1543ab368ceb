"use strict";
(() => {
  // The page is whole without this: it sorts, filters, copies and switches the theme, and keeps
  // what was chosen in the address.
  // The address ends with a place of the page, with what was chosen, or with both: #cost&theme=dark.
  const parts = location.hash.slice(1).split("&");
  const place = () => {
    const first = location.hash.slice(1).split("&")[0];
    return first.includes("=") ? "" : first;
  };
  const state = new URLSearchParams(parts.filter((part) => part.includes("=")).join("&"));
  const write = (at) => {
    const hash = [at, state.toString()].filter(Boolean).join("&");
    history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
  };
  const keep = (name, value) => {
    if (value) state.set(name, value); else state.delete(name);
    write(place());
  };

  const themes = ["", "light", "dark"];
  const button = document.getElementById("theme");
  const paint = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    button.textContent = "Theme: " + (theme || "system");
  };
  const known = themes.includes(state.get("theme")) ? state.get("theme") : "";
  button.hidden = false;
  paint(known);
  let theme = themes.indexOf(known);
  button.addEventListener("click", () => {
    theme = (theme + 1) % themes.length;
    paint(themes[theme]);
    keep("theme", themes[theme]);
  });

  // Numbers stand before words, and what is not known stands last, whichever way it is sorted.
  const worth = (cell) => {
    const text = cell.textContent.trim();
    if (text === "" || text === "-") return { kind: 2 };
    const number = ["floor", "baseline"].includes(text) ? 0 : parseFloat(text.replace("\u2212", "-"));
    return Number.isNaN(number) ? { kind: 1, text } : { kind: 0, number };
  };
  const compare = (a, b, sign) => {
    if (a.kind !== b.kind) return a.kind - b.kind;
    if (a.kind === 0) return sign * (a.number - b.number);
    return a.kind === 1 ? sign * a.text.localeCompare(b.text, "en") : 0;
  };
  const sort = (table, column, order) => {
    const rows = [...table.tBodies[0].rows];
    const sign = order === "descending" ? -1 : 1;
    rows.sort((a, b) => compare(worth(a.cells[column]), worth(b.cells[column]), sign));
    table.tBodies[0].append(...rows);
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      if (index === column) head.setAttribute("aria-sort", order);
      else head.removeAttribute("aria-sort");
    });
  };
  const tables = [...document.querySelectorAll("table.sortable")];
  for (const table of tables) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const control = document.createElement("button");
      control.type = "button";
      control.textContent = head.textContent;
      head.replaceChildren(control);
      control.addEventListener("click", () => {
        const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
        sort(table, column, order);
        keep("sort", table.id + "." + column + "." + order);
      });
    });
  }
  const [id, column, order] = (state.get("sort") || "").split(".");
  const chosen = tables.find((table) => table.id === id);
  if (chosen?.tHead.rows[0].cells[Number(column)]
      && ["ascending", "descending"].includes(order)) {
    sort(chosen, Number(column), order);
  }

  if (tables.length) {
    const tools = document.createElement("div");
    tools.className = "tools";
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "search";
    input.id = "filter";
    label.htmlFor = "filter";
    label.textContent = "Show only rows with";
    tools.append(label, input);
    tables[0].closest(".scroll").before(tools);
    const filter = () => {
      const wanted = input.value.trim().toLowerCase();
      for (const table of tables) {
        for (const row of table.tBodies[0].rows) {
          row.hidden = !row.textContent.toLowerCase().includes(wanted);
        }
      }
    };
    input.value = state.get("filter") || "";
    filter();
    input.addEventListener("input", () => { filter(); keep("filter", input.value.trim()); });
  }

  for (const copy of document.querySelectorAll("button.copy")) {
    if (!navigator.clipboard) break;
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const text = document.getElementById(copy.dataset.of).textContent;
      try { await navigator.clipboard.writeText(text); copy.textContent = "Copied"; }
      catch { copy.textContent = "Copying is not allowed here"; }
    });
  }

  // A link into something folded unfolds it. What was chosen stays in the address behind the
  // place, so that it is there when the page is loaded again.
  const unfold = () => {
    const target = document.getElementById(place());
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", () => {
    if (location.hash.includes("=")) return;
    unfold();
    write(place());
  });
  if (place()) unfold();
})();
