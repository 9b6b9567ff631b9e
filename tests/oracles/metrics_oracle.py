"""The metrics in plain Python: flood fill, loops over all pairs, and every matching tried. For small scenes."""

import math
from functools import cache


def components(mask):
    """8-connected components as lists of (row, column), in raster order of their first pixels."""
    height, width = mask.shape
    seen, found = set(), []
    for row in range(height):
        for column in range(width):
            if not mask[row, column] or (row, column) in seen:
                continue
            seen.add((row, column))
            stack, pixels = [(row, column)], []
            while stack:
                r, c = stack.pop()
                pixels.append((r, c))
                for nr in range(max(r - 1, 0), min(r + 2, height)):
                    for nc in range(max(c - 1, 0), min(c + 2, width)):
                        if mask[nr, nc] and (nr, nc) not in seen:
                            seen.add((nr, nc))
                            stack.append((nr, nc))
            found.append(pixels)
    return found


def centroid(pixels):
    return sum(r for r, _ in pixels) / len(pixels), sum(c for _, c in pixels) / len(pixels)


def distances(targets, predictions):
    """{(target, prediction): distance} of the pairs less than 3 px apart."""
    near = {}
    for t, target in enumerate(targets):
        for p, prediction in enumerate(predictions):
            distance = math.dist(centroid(target), centroid(prediction))
            if distance < 3:
                near[t, p] = distance
    return near


def greedy(near, targets, predictions):
    pairs, used = [], set()
    for t in range(len(targets)):
        for p in range(len(predictions)):
            if (t, p) in near and p not in used:
                pairs.append((t, p))
                used.add(p)
                break
    return pairs


def optimal(near, predictions):
    """Most pairs, then least total distance in millionths of a pixel, then most pixels: by trying everything."""
    choices = {}
    for t, p in near:
        choices.setdefault(t, []).append(p)
    order = sorted(choices)
    wanted = [frozenset(p for t in order[i:] for p in choices[t]) for i in range(len(order))]

    def best(i, used):
        return best_from(i, used & wanted[i]) if i < len(order) else ((0, 0, 0), ())

    @cache
    def best_from(i, used):
        result = best(i + 1, used)
        for p in choices[order[i]]:
            if p not in used:
                (count, closeness, area), pairs = best(i + 1, used | {p})
                step = round(near[order[i], p] * 1e6)
                option = (count + 1, closeness - step, area + len(predictions[p])), ((order[i], p), *pairs)
                result = max(result, option, key=lambda x: x[0])
        return result

    return list(best(0, frozenset())[1])


def count(pred, label):
    """What `metrics.count_image` returns, for a grey label of 0..255."""
    row = {"pixels": pred.size, "predicted_pixels": int(pred.sum())}
    predictions = components(pred)
    row["components"] = len(predictions)
    for prefix, target in (("", label > 127), ("ref_", label == 255)):
        targets = components(target)
        row[prefix + "target_pixels"] = sum(len(t) for t in targets)
        pairs = [(bool(p), bool(t)) for p, t in zip(pred.ravel(), target.ravel(), strict=True)]
        row[prefix + "intersection"] = sum(p and t for p, t in pairs)
        row[prefix + "union"] = sum(p or t for p, t in pairs)
        row[prefix + "targets"] = len(targets)
        near = distances(targets, predictions)
        matched = greedy(near, targets, predictions) if prefix else optimal(near, predictions)
        hit = {p for _, p in matched}
        row[prefix + "matched"] = len(hit)
        row[prefix + "false_pixels"] = sum(len(x) for p, x in enumerate(predictions) if p not in hit)
        if prefix:
            areas = [len(predictions[p]) for p in hit]
            row["ref_false_pixels_by_area"] = sum(len(x) for x in predictions if len(x) not in areas)
        else:
            row["opdc_matched"], row["opdc_iou"] = opdc(targets, predictions, near)
    row["sample_intersection"], row["sample_union"] = row["ref_intersection"], row["ref_union"]
    return row


def opdc(targets, predictions, near):
    """Number of matched pairs and sum of their IoU."""
    iou = {
        (t, p): len(set(target) & set(prediction)) / len(set(target) | set(prediction))
        for t, target in enumerate(targets)
        for p, prediction in enumerate(predictions)
    }
    pairs = [pair for pair, value in iou.items() if value >= 0.5]
    left, right = {t for t, _ in pairs}, {p for _, p in pairs}
    rest = {(t, p): d for (t, p), d in near.items() if t not in left and p not in right}
    pairs += optimal(rest, predictions)
    return len(pairs), sum(iou[pair] for pair in pairs)


def sweep(levels, label):
    """What `metrics.sweep_image` returns, as lists."""
    known, rows = {}, []
    for cut in range(256):
        mask = levels >= cut
        key = mask.tobytes()
        if key not in known:
            known[key] = count(mask, label)
        rows.append(known[key])
    return {
        "tp": [row["intersection"] for row in rows],
        "fp": [row["predicted_pixels"] - row["intersection"] for row in rows],
        "matched": [row["matched"] for row in rows],
        "false_pixels": [row["false_pixels"] for row in rows],
        "targets": [row["targets"] for row in rows],
    }


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else None


def compute(rows, protocol):
    """What `metrics.compute_metrics` returns, without the figures of OPDC."""

    def total(name):
        return sum(row[name] for row in rows)

    def ratio(numerator, denominator, empty):
        return numerator / denominator if denominator else empty

    if protocol == "exact":
        return {
            "IoU": ratio(total("intersection"), total("union"), None),
            "nIoU": mean(row["intersection"] / row["union"] for row in rows if row["union"]),
            "Pd": ratio(total("matched"), total("targets"), None),
            "Fa": total("false_pixels") / total("pixels"),
        }
    fixed = {"irsam": 512 * 512 * len(rows), "dnanet": 256 * 256 * len(rows)}
    false = total("ref_false_pixels" if protocol == "basicirstd" else "ref_false_pixels_by_area")
    union = total("ref_union")
    if protocol != "irsam":
        union = total("predicted_pixels") + total("target_pixels") - total("ref_intersection")
    return {
        "IoU": ratio(total("ref_intersection"), union, 0),
        "nIoU": mean(row["sample_intersection"] / row["sample_union"] if row["sample_union"] else 0 for row in rows),
        "Pd": ratio(total("ref_matched"), total("ref_targets"), None),
        "Fa": false / fixed.get(protocol, total("pixels")),
    }
