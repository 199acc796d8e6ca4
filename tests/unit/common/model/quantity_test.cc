// SPDX-License-Identifier: Apache-2.0
#include "common/model/quantity.hh"

#include "support.hh"

using namespace rocket;
using namespace rocket::model;

TEST_CASE("quantities: canonical form (QTY-9)")
{
    const std::pair<const char*, const char*> cases[] = {{"125952Ki", "123Mi"},
                                                         {"1024Mi", "1Gi"},
                                                         {"1000M", "1G"},
                                                         {"1.5", "1500m"},
                                                         {"1.5Gi", "1536Mi"},
                                                         {"0.5Mi", "512Ki"},
                                                         {"100.035Ki", "102435840m"},
                                                         {".001Ki", "1024m"},
                                                         {"5e-1", "500e-3"},
                                                         {"1080000000n", "1080m"},
                                                         {"0Ki", "0"},
                                                         {"1.", "1"},
                                                         {"1.G", "1G"},
                                                         {"+1k", "1k"},
                                                         {"1K", "1k"},
                                                         {"1E", "1E"},
                                                         {"1E3", "1e3"},
                                                         {"1e0", "1"},
                                                         {"128974848", "128974848"},
                                                         {"1Ki", "1Ki"},
                                                         {"0.5Ki", "512"},
                                                         {"-0", "0"},
                                                         {"1m", "1m"},
                                                         {"0.0000000001", "1n"}};
    for (const auto& row : cases) {
        const auto* text = row.first;
        const auto* canonical = row.second;
        CAPTURE(text);
        CHECK(Quantity::parse(text).str() == canonical);
        CHECK(Quantity::parse(canonical) == Quantity::parse(text));
        CHECK(Quantity::parse(canonical).str() == canonical);
    }
}

TEST_CASE("quantities: what is not one (QTY-4, QTY-8)")
{
    for (const char* bad :
         {"1g", "1ki", "1mi", "1MB", "0x10", "1i",  ".5i", "0.1mi", "aoeu", "1.1.M", "1+1.0M", "1e",  "",
          ".",  "+",   "-",   "1 ",  " 1",   "1 k", "1e+", "1e1.5", "--1",  "+-1",   "k",      "1,5", "1e3k"}) {
        CAPTURE(bad);
        check_refused([&] { Quantity::parse(bad); }, "is not a valid quantity", Error::Kind::usage);
    }
    for (const char* negative : {"-1", "-0.5", "-1Gi", "-1e3", "-1n"})
        check_refused([&] { Quantity::parse(negative); }, "cannot be negative", Error::Kind::usage);
}

TEST_CASE("quantities: whole units and thousandths are rounded up, never to zero (QTY-5, QTY-6)")
{
    CHECK(Quantity::parse("0.5").ceil_units() == 1);
    CHECK(Quantity::parse("1.5").ceil_units() == 2);
    CHECK(Quantity::parse("1m").ceil_units() == 1);
    CHECK(Quantity::parse("100.035Ki").ceil_units() == 102436);
    CHECK(Quantity::parse("0.3").ceil_milli() == 300);
    CHECK(Quantity::parse("0.1m").ceil_milli() == 1);
    CHECK(Quantity::parse("2").ceil_milli() == 2000);
    CHECK(Quantity::parse("0").ceil_units() == 0);
    CHECK(Quantity::parse("0.00000000000000000000000000001").ceil_units() == 1);
    CHECK(Quantity::parse("1.0000000000000000000000000000000000001").ceil_units() == 2);
    CHECK(Quantity::parse("1e-400").str() == "1e-9");
    CHECK(Quantity::of_units(4096).ceil_units() == 4096);
}

TEST_CASE("quantities: no floating point anywhere (QTY-5)")
{
    CHECK(Quantity::parse("9007199254740993").ceil_units() == 9007199254740993); // 2^53 + 1
    CHECK(Quantity::parse("8191.99999999999999999999Pi").ceil_units() == 9223372036854775807);
    CHECK(Quantity::parse("7Ei").ceil_units() == 8070450532247928832);
    CHECK(Quantity::parse("0.1Ki").str() == "102400m");
    CHECK(Quantity::parse("0.3") == Quantity::parse("300m"));
}

TEST_CASE("quantities: too large is the largest (QTY-7)")
{
    for (const char* huge : {"9223372036854775807", "9223372036854775808", "8Ei", "10E", "1e19", "1e400",
                             "1e999999999999999999999", "99999999999999999999999999999999999999999999", "16Ei"}) {
        CAPTURE(huge);
        CHECK(Quantity::parse(huge).ceil_units() == INT64_MAX);
        CHECK(Quantity::parse(huge).ceil_milli() == INT64_MAX);
    }
    CHECK(Quantity::parse("0e999999999999").ceil_units() == 0);
    CHECK(Quantity::parse(std::string(100'000, '0') + "1").ceil_units() == 1);
    CHECK(Quantity::parse("1" + std::string(50'000, '0') + "e-50000").ceil_units() == 1);
    CHECK(Quantity::of_units(UINT64_MAX).ceil_units() == INT64_MAX);
}

TEST_CASE("quantities: order")
{
    CHECK(Quantity::parse("10000T") > Quantity::parse("100Gi"));
    CHECK(Quantity::parse("128974848") == Quantity::parse("123Mi"));
    CHECK(Quantity::parse("1k") < Quantity::parse("1Ki"));
}
