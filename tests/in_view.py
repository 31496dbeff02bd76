"""Whether the boxes that a step lights are in view: a script for the stepper's page."""

# at each position: how many boxes are lit, how many of them are wholly in view, whether all is smaller than need be
IN_VIEW = """async () => {
    const found = [];
    for (let k = 1; k <= final; k++) {
        go(k);
        await Promise.all(picture.getAnimations().map((each) => each.finished));
        const frame = document.querySelector("#graph").getBoundingClientRect();
        const [top, bottom] = [Math.max(frame.top, 0), Math.min(frame.bottom, innerHeight)];
        const lit = [...document.querySelectorAll("#graph .source, #graph .target")];
        const inside = lit.filter((each) => {
            const box = each.getBoundingClientRect();
            return box.left >= frame.left && box.right <= frame.right && box.top >= top && box.bottom <= bottom;
        });
        const small = view.k < Math.min(readable(), fitting(around(happening()))) - 1e-9;
        found.push([lit.length, inside.length, small]);
    }
    return found;
}"""
