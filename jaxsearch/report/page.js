"use strict";
for (const head of document.querySelectorAll("th")) {
  head.querySelector("button").addEventListener("click", () => {
    const body = head.closest("table").tBodies[0];
    const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const compare = head.className === "n" ? (a, b) => a - b : (a, b) => a.localeCompare(b, "en", { numeric: true });
    const rows = Array.from(body.rows, (row) => [row.cells[head.cellIndex].textContent, row]);
    // Empty cells come last in either order.
    rows.sort(([a], [b]) => (a === "") - (b === "") || sign * compare(a, b));
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    body.append(...rows.map(([, row]) => row));
  });
}
