"""Forecasts of statsforecast's AutoETS and TSB: `python auto_ets.py HISTORIES FORECASTS`, both npz files.

Run by `bench.forecast` in an environment of its own, because the library and what it needs take 440 MB. HISTORIES has
an array (days, series) per name; FORECASTS has for each the arrays NAME/ets, NAME/ets-low, NAME/ets-high and NAME/tsb.
"""

import sys

import numpy as np
import numpy.typing as npt
from statsforecast.models import TSB, AutoETS

LEVEL = 80


def main(histories: str, forecasts: str, horizon: int) -> None:
    found: dict[str, npt.NDArray[np.float64]] = {}
    for name, sales in np.load(histories).items():
        columns = [sales[:, column].astype(np.float64) for column in range(sales.shape[1])]
        season = 7 if len(sales) > 21 else 1
        ets = [AutoETS(season_length=season).forecast(y=column, h=horizon, level=[LEVEL]) for column in columns]
        found[f"{name}/ets"] = np.stack([one["mean"] for one in ets], axis=1)
        found[f"{name}/ets-low"] = np.stack([one[f"lo-{LEVEL}"] for one in ets], axis=1)
        found[f"{name}/ets-high"] = np.stack([one[f"hi-{LEVEL}"] for one in ets], axis=1)
        tsb = [TSB(alpha_d=0.1, alpha_p=0.1).forecast(y=column, h=horizon)["mean"] for column in columns]
        found[f"{name}/tsb"] = np.stack(tsb, axis=1)
    np.savez(forecasts, allow_pickle=False, **found)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
