"""What methods and functions do whose names most people know: those of containers, frames, arrays, models, paths."""

from typing import Final

__all__ = [
    "CHANGES",
    "CHANGES_ARGUMENT",
    "GIVES_INNER",
    "LEARNS",
    "LOOKS",
    "TAKES",
    "is_setting",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Methods that change their object: those of the standard containers, and some that are never called for their value.
CHANGES: Final = _words(
    """
    add addFilter addHandler add_argument add_edge add_edges_from add_node add_nodes_from append appendleft clear
    difference_update discard extend extendleft fill insert insert_column intersection_update isetitem move_to_end
    pop popitem popleft put remove removeHandler reverse rotate setdefault sort subtract symmetric_difference_update
    update
    """
)
# Those of them that give something back, so that their value may be kept.
TAKES: Final = _words("pop popitem popleft setdefault")
# Methods by which models learn: they change their object too, and may take long.
LEARNS: Final = _words("fit fit_predict fit_resample fit_transform load_state_dict partial_fit set_params")
# Functions that change their first argument; `at` is that of numpy's functions.
CHANGES_ARGUMENT: Final = _words(
    """
    __setattr__ at copyto delattr fill_diagonal heapify heappop heappush heappushpop heapreplace insort insort_left
    insort_right next place put_along_axis putmask setattr shuffle
    """
)
# Functions of modules that set how the module works from then on; so do those whose names begin with "set".
_SETTINGS: Final = _words(
    """
    basicConfig captureWarnings disable disable_max_rows enable extension filterwarnings init_printing ioff ion
    load_dotenv manual_seed pandas rc rc_file seed simplefilter use
    """
)
# Methods that show or compute something and leave their object as it is.
LOOKS: Final = _words(
    """
    abs agg aggregate all any apply applymap argmax argmin argsort asfreq assign astype at_time autocorr
    background_gradient bar barh between between_time bfill box boxplot capitalize ceil clip collect combine
    combine_first compare convert_dtypes copy corr corrwith count cov cummax cummin cumprod cumsum cut day_name
    decode describe diff display div dot drop drop_duplicates drop_nulls droplevel dropna duplicated encode endswith
    equals estimated_size evaluate ewm exists expanding explode factorize ffill fill_nan fill_null fillna filter
    find first first_valid_index flatten floor format get get_column get_columns get_group get_level_values get_loc
    get_params glimpse group_by groupby head hexbin highlight_max highlight_min highlight_null hist idxmax idxmin
    index infer_objects info interpolate intersection is_dir is_duplicated is_file is_null is_unique isalpha isdigit
    isin isna isnull isoformat issubset item items iter_rows iterdir iterrows itertuples join json keys kurt
    kurtosis last lazy line ljust loads lower lstrip map mask max mean median melt memory_usage merge min mod mode
    model_dump model_dump_json month_name most_common mul n_unique nlargest nonzero normalize notna notnull
    nsmallest null_count nunique partition_by pct_change pie pipe pivot pivot_table plot predict predict_proba prod
    product quantile query raise_for_status rank ravel read_text rename rename_axis reorder_levels repeat replace
    resample reset_index reshape resolve rfind rolling round row rows rsplit rstrip sample scatter score search
    searchsorted select select_dtypes sem set_axis set_index shift show skew slice sort_index sort_values split
    splitlines squeeze stack startswith stat std strftime strip sub sum summary swapaxes swaplevel tail take
    text_gradient title to_arrow to_clipboard to_csv to_dict to_dicts to_dummies to_excel to_feather to_frame
    to_html to_json to_latex to_list to_markdown to_numpy to_pandas to_parquet to_period to_pickle to_pydatetime
    to_records to_series to_sql to_string to_timestamp tolist top_k total transform transpose truncate tz_convert
    tz_localize union unique unpivot unstack upper value_counts values var weekday where with_columns with_row_index
    write_csv write_parquet write_text xs zfill
    """
)
# Those of them whose value may be a part of their object, or another view of it.
GIVES_INNER: Final = _words(
    """
    filter find first get get_column get_columns get_group item items join keys last map ravel reshape row rows select
    squeeze swapaxes take transpose values
    """
)


def is_setting(name: str) -> bool:
    """Say whether a function of that name sets how its module works from then on."""
    if name in LOOKS or name.startswith("setup"):
        return False
    return name in _SETTINGS or name.startswith(("set", "register"))
