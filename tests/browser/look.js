// What a reader would look at, asked of the page from outside it.
globalThis.look = (() => {
  const text = (element) => element.textContent.replace(/\s+/g, " ").trim();
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  const unfold = () => { for (const folded of document.querySelectorAll("details")) folded.open = true; };
  const name = (element) => {
    const own = element.id ? "#" + element.id : element.getAttribute("class") || "";
    return `${element.localName} ${own} ${text(element).slice(0, 40)}`.trim();
  };

  // Every text that is shown, with the element that says how.
  const letters = () => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walk.nextNode()) {
      const element = walk.currentNode.parentElement;
      if (!walk.currentNode.data.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
      if (seen(element)) found.push({ element, node: walk.currentNode });
    }
    return found;
  };

  // Colours, by the formula of WCAG 2.2, "relative luminance" and "contrast ratio".
  const parsed = (colour) => {
    const canvas = parsed.canvas ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return { r, g, b, a: a / 255 };
  };
  const over = (top, below, share = 1) => {
    const a = top.a * share;
    const mix = (part) => top[part] * a + below[part] * (1 - a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    if (!element) return parsed("Canvas");
    const own = parsed(getComputedStyle(element).backgroundColor);
    return own.a === 1 ? own : over(own, ground(element.parentElement));
  };
  const told = (what, ratio) => `${what}: ${ratio.toFixed(2)}`;

  // Texts that are too faint.
  const faint = (least) => {
    const found = new Set();
    for (const { element } of letters()) {
      const style = getComputedStyle(element);
      const colour = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
      const behind = ground(element);
      const ratio = contrast(over(parsed(colour), behind, Number(style.opacity)), behind);
      if (ratio < least) found.add(told(name(element), ratio));
    }
    return [...found];
  };

  // Marks that are too faint: what carries a figure, not the grid behind it.
  const MARKS = ".interval,.point,.dots,.cross,.bar,.thick,.reference,.rule,.swatch";
  const faintMarks = (least) => {
    const found = new Set();
    for (const mark of [...document.querySelectorAll(MARKS)].filter(seen)) {
      const style = getComputedStyle(mark);
      const behind = ground(mark.parentElement);
      // Lines, and dots that are strokes without length, have no inside, whatever fill they inherit.
      const hollow = mark.matches("line,.dots");
      const paints = mark.localName === "span"
        ? [[style.backgroundColor, 1], [style.borderTopColor, 1]]
        : [[hollow ? "none" : style.fill, style.fillOpacity], [style.stroke, style.strokeOpacity]];
      const ratios = paints.filter(([paint]) => paint !== "none")
        .map(([paint, share]) => contrast(over(parsed(paint), behind, Number(share)), behind));
      if (Math.max(...ratios) < least) {
        found.add(told(mark.closest("[class]").getAttribute("class"), Math.max(...ratios)));
      }
    }
    return [...found];
  };

  const markCount = () => [...document.querySelectorAll(MARKS)].filter(seen).length;

  // What cannot be read on a narrow screen.
  const tooSmall = (least) => letters().filter(({ element }) =>
    parseFloat(getComputedStyle(element).fontSize) < least).map(({ element }) => name(element));
  const outside = () => letters().filter(({ element, node }) => {
    if (element.closest(".scroll,pre,.skip")) return false;
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].some((box) => box.left < -0.5 || box.right > document.documentElement.clientWidth + 0.5);
  }).map(({ element }) => name(element));
  const spilling = () => [...document.querySelectorAll("table")].filter(seen).filter((table) => {
    const box = table.closest(".scroll");
    return !box || box.getBoundingClientRect().right > document.documentElement.clientWidth
      || (box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX !== "auto");
  }).map(name);

  // Where intervals stand: in brackets, or as two columns of numbers; and which of them can be
  // seen only where their table is scrolled sideways.
  const intervals = () => [...document.querySelectorAll("table")].flatMap((table) => {
    const heads = [...(table.tHead?.rows[0].cells ?? [])].map(text);
    const ends = heads.flatMap((head, index) => /(^|_)(low|high)$/.test(head) ? [index] : []);
    const rows = [...table.tBodies[0].rows];
    const columns = rows.flatMap((row) => ends.map((index) => row.cells[index]));
    return [...table.querySelectorAll(".ci"), ...columns];
  }).filter(seen);
  const cutOff = () => intervals().filter((own) => own.getBoundingClientRect().right
    > own.closest(".scroll,main").getBoundingClientRect().right + 0.5).map(name);
  const overlapping = () => {
    const found = [];
    for (const axis of [...document.querySelectorAll(".axis svg,.ticks")].filter(seen)) {
      const boxes = [...axis.querySelectorAll("text,span")].map((at) => [text(at), at.getBoundingClientRect()]);
      boxes.forEach(([one, a], index) => boxes.slice(index + 1).forEach(([other, b]) => {
        const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
        if (!apart) found.push(`${axis.closest("figure").id}: ${one} and ${other}`);
      }));
    }
    return found;
  };

  // Letters of a drawing that the edge of it, or of a drawing inside it, takes away.
  const edges = (drawing) => {
    const whole = drawing.parentElement;
    const left = whole ? whole.getScreenCTM().e + drawing.x.baseVal.value : 0;
    return { left, right: left + drawing.width.baseVal.value };
  };
  const cut = () => [...document.querySelectorAll("text")].filter((letters) => {
    const box = letters.getBoundingClientRect();
    for (let at = letters.parentElement; at; at = at.parentElement) {
      const isWhole = !at.parentElement;
      if (at.localName !== "svg" || (!isWhole && getComputedStyle(at).overflow === "visible")) continue;
      if (box.left < edges(at).left - 1 || box.right > edges(at).right + 1) return true;
    }
    return false;
  }).map(name);

  // What the page holds, without what the script adds.
  const whole = () => [...document.querySelectorAll("section,figure,tr")].map((part) => {
    const copy = part.cloneNode(true);
    for (const added of copy.querySelectorAll(".tools,button.copy")) added.remove();
    return text(copy);
  });
  const idle = () => [...document.querySelectorAll("button,input")].filter(seen).map(name);

  // What the keyboard reaches, in the order of the page.
  const reached = () => [...document.querySelectorAll("a[href],button,input,summary,[tabindex='0']")]
    .filter((element) => seen(element)).map(name);
  const focus = () => {
    const at = document.activeElement;
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    const clear = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2
      && contrast(parsed(outlineColor), ground(at.parentElement)) >= 3
      && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    return [at === document.body ? "" : name(at), clear ? "" : "cannot be seen"];
  };

  // A column of a table.
  const column = (table, index) => [...document.getElementById(table).tBodies[0].rows]
    .filter((row) => !row.hidden).map((row) => text(row.cells[index]));
  const restless = () => [...document.querySelectorAll("*")].filter((element) => {
    const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
    return transitionDuration !== "0s" || animationName !== "none" || scrollBehavior !== "auto";
  }).map(name);

  return { text, seen, unfold, name, faint, faintMarks, markCount, tooSmall, outside, spilling,
    intervals, cutOff, overlapping, cut, whole, idle, reached, focus, column, restless };
})();
null
