// Tables that have class "sortable": a click on a head sorts, the box above filters. The page is complete without this.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    const cell = row.cells[column];
    const number = cell.dataset.v === undefined ? NaN : Number(cell.dataset.v);
    return Number.isNaN(number) ? cell.textContent.trim() : number;
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const first = head.classList.contains("text") ? "ascending" : "descending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const compare = (a, b) =>
        typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
      body.append(...[...body.rows].sort((a, b) => sign * compare(value(a, column), value(b, column))));
    });
  });
  if (body.rows.length > 5) {
    const tools = document.createElement("div");
    tools.className = "tools";
    const box = document.createElement("input");
    box.type = "search";
    box.placeholder = "filter rows";
    box.setAttribute("aria-label", "filter the rows of the table below");
    const count = document.createElement("span");
    count.className = "small";
    tools.append(box, count);
    table.closest(".scroll").before(tools);
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const row of body.rows) {
        const names = [...row.querySelectorAll(".text")].map((cell) => cell.textContent.toLowerCase()).join(" ");
        row.hidden = !words.every((word) => names.includes(word));
        left += row.hidden ? 0 : 1;
      }
      count.textContent = words.length ? `${left} of ${body.rows.length} rows` : "";
    });
  }
}
